# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The answer file in a generalized Windows that does not run."""

from __future__ import annotations

import typing as t

from ..._errors import OsError
from ..beneath import Root
from ..tree import Tree
from . import first_boot
from .answers import Answers, answer_file, shown
from .facts import architecture, is_generalized
from .hive import Edit, change

PLACE, _OTHER = first_boot.ANSWER_FILES
_SETUP = "Setup"
_ELSEWHERE = "UnattendFile"  # outranks all places

_POWERSHELL = 'powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "{}"'
_STRICT = r"""
Set-Item WSMan:\localhost\Service\AllowUnencrypted $false
Set-Item WSMan:\localhost\Service\Auth\Basic $false
"""
# For members of a domain: what is said is encrypted by Kerberos.
_HTTP = f"""
Enable-PSRemoting -SkipNetworkProfileCheck -Force
{_STRICT}
"""
# For all others. A local account that is no built-in administrator would come without its rights.
_HTTPS = rf"""
Enable-PSRemoting -SkipNetworkProfileCheck -Force
$store = 'Cert:\LocalMachine\My'
$key = New-SelfSignedCertificate -DnsName $env:COMPUTERNAME -CertStoreLocation $store -NotAfter (Get-Date).AddYears(10)
$listener = 'WSMan:\localhost\Listener'
Get-ChildItem $listener | Remove-Item -Recurse
New-Item $listener -Transport HTTPS -Address * -CertificateThumbPrint $key.Thumbprint -Force
New-NetFirewallRule -DisplayName 'WinRM HTTPS' -Direction Inbound -Protocol TCP -LocalPort 5986 -Action Allow
$policy = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
Set-ItemProperty $policy LocalAccountTokenFilterPolicy 1
{_STRICT}
"""
SCRIPTS: t.Final = {
    name: "; ".join(filter(None, text.split("\n"))) for name, text in (("http", _HTTP), ("https", _HTTPS))
}


def apply(tree: Tree, answers: Answers, check: bool, winrm: str | None = None) -> dict[str, t.Any]:
    """Put the answer file there, and see to it that the first boot takes it away.

    :param winrm: enable it, over http or https.
    :returns: changed, diff, file.
    :raises OsError: Windows would not read it, because it is not generalized.
    """
    root = tree.root
    if not is_generalized(root):
        raise OsError(
            f"The Windows at {root.path} is not generalized: it asks for no answer file, and what is in one would stay "
            "on its disk. Run sysprep /generalize on the reference computer; or use golden.fleet.os_hostname and set "
            "up the rest once it runs."
        )
    wanted = answer_file(answers, architecture(root))
    before, other = root.read(PLACE), root.exists(_OTHER)
    parts = [
        first_boot.put(tree, first_boot.REMOTE, _lines(winrm), check),
        first_boot.put(tree, first_boot.ANSWERS, _removal(), check),
        change(root, "SYSTEM", [Edit(_SETUP, _ELSEWHERE, None)], check),
    ]
    if not check:
        _write(root, wanted, before, other)
    return {
        "changed": before != wanted or other or any(part["changed"] for part in parts),
        "diff": {"before": shown(before) if before is not None else "", "after": shown(wanted)},
        "file": PLACE,
    }


def _write(root: Root, wanted: bytes, before: bytes | None, other: bool) -> None:
    if before != wanted:
        root.write(PLACE, wanted)
    if other:
        root.remove(_OTHER)


def _lines(winrm: str | None) -> list[str]:
    return [_POWERSHELL.format(SCRIPTS[winrm]), "echo golden.fleet: WinRM, %errorlevel%"] if winrm else []


def _removal() -> list[str]:
    places = [place.replace("/Windows", "%SystemRoot%", 1).replace("/", "\\") for place in first_boot.ANSWER_FILES]
    return [f'del /f /q "{place}"' for place in places]
