# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A running Linux, through the program ssh. Next boot is what efibootmgr calls BootNext."""

from __future__ import annotations

import shlex

from .._errors import PowerError, PowerRefused, ToolFailed, UsageError
from .._run import run
from .boot_menu import BootMenu, parse_efibootmgr
from .running import RunningSystem

_TIMEOUT = 60.0  # seconds for one command
_NO_UEFI, _NO_TOOL, _SSH_FAILED = 95, 96, 255
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    # A shared connection would outlive the restart.
    "ControlMaster": "no",
    "ControlPath": "none",
}
# Only root may do this; sudo must not ask for a password.
_PRELUDE = f"""\
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
root() {{ if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }}
firmware() {{
    [ -d /sys/firmware/efi ] || exit {_NO_UEFI}
    command -v efibootmgr >/dev/null || exit {_NO_TOOL}
    root efibootmgr "$@"
}}
"""
# After this connection has ended in peace.
_RESTART = "root setsid -f sh -c 'sleep 1; {command}' >/dev/null 2>&1 </dev/null"


class Ssh(RunningSystem):
    """A Linux whose sshd lets this user in with a key."""

    name = "ssh"
    needs = ("address",)

    def _boot_id(self) -> str:
        return self._shell("cat /proc/sys/kernel/random/boot_id").strip()

    def _restart(self, force: bool) -> None:
        self._shell(_RESTART.format(command="reboot -f" if force else "reboot"))

    def _menu(self) -> BootMenu:
        return parse_efibootmgr(self._shell("firmware -v"))

    def _boot_once(self, entry: str) -> None:
        self._shell(f"firmware --quiet --bootnext {shlex.quote(entry)}")

    def _shell(self, script: str) -> str:
        """Run this on the machine, whatever shell its user has."""
        options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        options += self._more_arguments()
        if self.options.private_key_file:
            options += ["-i", self.options.private_key_file, "-o", "IdentitiesOnly=yes"]
        if self.options.port:
            options += ["-p", str(self.options.port)]
        if self.options.username:
            options += ["-l", self.options.username]
        try:
            command = ["ssh", "-T", *options, "--", self.options.address, "sh -s"]
            return run(command, stdin=_PRELUDE + script, timeout=_TIMEOUT).stdout
        except ToolFailed as error:
            raise self._explained(error) from error

    def _more_arguments(self) -> list[str]:
        try:
            return shlex.split(self.options.ssh_args)
        except ValueError as error:
            raise UsageError(f"ssh_args {self.options.ssh_args!r} are no arguments of a shell: {error}.") from error

    def _explained(self, error: ToolFailed) -> PowerError:
        where, rc = self.options.address, error.facts.get("rc")
        said = error.facts.get("stderr", error.message)
        if rc == _NO_UEFI:
            return self.no_menu()
        if rc == _NO_TOOL:
            return self.failure(f"The program efibootmgr is not installed on {where}. Install the package efibootmgr.")
        if rc == _SSH_FAILED and "Permission denied" in said:
            advice = "Is the public key in its authorized_keys, and private_key_file the other half of it?"
            return self.failure(
                f"{where} does not let {self.options.username or 'us'} in: {said} {advice}", PowerRefused
            )
        if rc == _SSH_FAILED:
            advice = "Log in there by hand once, and look at what it says." if "Host key" in said else ""
            return self.failure(f"{where} cannot be reached by SSH: {said} {advice}".rstrip())
        if "sudo" in said:
            advice = "Let this user use sudo without a password, or log in as root."
            return self.failure(f"{self.options.username} may not do that on {where}: {said} {advice}", PowerRefused)
        return self.failure(f"{where} failed to do what it was told: {said}")
