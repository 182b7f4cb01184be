# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A running Windows, through the library pywinrm. Next boot is the firmware's boot sequence of bcdedit."""

from __future__ import annotations

import contextlib
import typing as t
import xml.etree.ElementTree as ET

from .._errors import PowerRefused
from .._libraries import need
from .base import tls_advice
from .boot_menu import BootMenu, parse_bcdedit
from .running import RunningSystem

_PORTS: t.Final = {"http": 5985, "https": 5986}
_OPERATION, _READ = 20, 30  # seconds; reading has to be the longer one
_BOOT_TIME = "(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"


class WinRm(RunningSystem):
    """A Windows whose WinRM lets this user in, as administrator."""

    name = "winrm"
    needs = ("address", "username", "password")

    def _boot_id(self) -> str:
        return self._command("powershell", "-NoProfile", "-NonInteractive", "-Command", f'"{_BOOT_TIME}"').strip()

    def _restart(self, force: bool) -> None:
        # With any other time it would end programs by force.
        self._command("shutdown", "/r", "/t", "0", *(("/f",) if force else ()))

    def _menu(self) -> BootMenu:
        menu = parse_bcdedit(self._command("bcdedit", "/enum", "firmware"))
        if menu is None:
            raise self.no_menu()
        return menu

    def _boot_once(self, entry: str) -> None:
        self._command("bcdedit", "/set", "{fwbootmgr}", "bootsequence", entry)

    def _command(self, *words: str) -> str:
        with self._errors() as winrm:
            answer = self._session(winrm).run_cmd(words[0], words[1:])
        said = "\n".join(each.decode("utf-8", "replace").strip() for each in (answer.std_out, answer.std_err)).strip()
        if answer.status_code:
            where = self.options.address
            raise self.failure(f"{words[0]} on {where} failed with exit code {answer.status_code}: {said}")
        return said

    def _session(self, winrm: t.Any) -> t.Any:
        return winrm.Session(
            f"{self.options.url(_PORTS)}/wsman",
            auth=(self.options.username, self.options.password),
            transport=self.options.transport,
            server_cert_validation="validate" if self.options.verify_tls else "ignore",
            ca_trust_path=self.options.ca_file or None,
            operation_timeout_sec=_OPERATION,
            read_timeout_sec=_READ,
        )

    @contextlib.contextmanager
    def _errors(self) -> t.Iterator[t.Any]:
        """Gives pywinrm, and turns what it raises into our errors."""
        winrm, where = need("winrm"), self.options.address
        errors = winrm.exceptions
        others = (errors.WinRMTransportError, errors.WinRMOperationTimeoutError)
        try:
            yield winrm
        except errors.InvalidCredentialsError as error:
            advice = "Are username and password right, and may this user manage it remotely?"
            raise self.failure(f"{where} does not accept {self.options.username!r}. {advice}", PowerRefused) from error
        except need("requests").exceptions.RequestException as error:
            raise self.failure(f"{where} cannot be reached by WinRM. {tls_advice(error)}{error}") from error
        except (errors.WinRMError, *others) as error:
            raise self.failure(f"WinRM on {where} answers: {error}") from error
        except (ET.ParseError, AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
            # What pywinrm stumbles over.
            reason = str(error) or "an element is missing"
            raise self.failure(f"What answers at {where} is no WinRM ({reason}). Is the address right?") from error
