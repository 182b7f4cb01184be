# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Redfish, through the library sushy."""

from __future__ import annotations

import contextlib
import logging
import typing as t

from .._errors import PowerRefused
from .._libraries import need
from .base import DISK, NETWORK, NONE, OFF, ON, UNKNOWN, tls_advice
from .controller import SHUTDOWN, Controller

_STATES = {"On": ON, "Off": OFF}
_DEVICES = {"Pxe": NETWORK, "UefiHttp": NETWORK, "Hdd": DISK, "None": NONE}


class Redfish(Controller):
    """A management controller that speaks Redfish.

    Boot devices are asked for once. Some controllers read that back as "Continuous", and some keep it: who wants the
    disk afterwards has to say so.
    """

    name = "redfish"
    needs = ("address", "username", "password")
    _connection: t.Any = None
    _the_system: t.Any = None

    def state(self) -> str:
        with self._errors() as _sushy:
            return _STATES.get(_word(self._system().power_state), UNKNOWN)

    def next_boot(self) -> str:
        with self._errors() as _sushy:
            boot = self._system().boot
            if boot is None:
                return UNKNOWN
            chosen = _word(boot.target) if _word(boot.enabled) != "Disabled" else "None"
            return _DEVICES.get(chosen, UNKNOWN)

    def close(self) -> None:
        """End the session: controllers have room for a handful."""
        if self._connection is not None:
            with contextlib.suppress(need("sushy").exceptions.SushyError):
                self._connection.close()
        self._connection = self._the_system = None

    def _press(self, button: str) -> None:
        with self._errors() as sushy:
            names = {ON: sushy.RESET_ON, OFF: sushy.RESET_FORCE_OFF, SHUTDOWN: sushy.RESET_GRACEFUL_SHUTDOWN}
            self._system().reset_system(names[button])

    def _choose(self, target: str) -> None:
        with self._errors() as sushy:
            names = {NETWORK: sushy.BOOT_SOURCE_TARGET_PXE, DISK: sushy.BOOT_SOURCE_TARGET_HDD}
            self._system().set_system_boot_options(names[target], enabled=sushy.BOOT_SOURCE_ENABLED_ONCE)

    def _system(self) -> t.Any:
        """The system as it is now."""
        if self._the_system is None:
            self.close()  # a session in which no system could be found
            self._the_system = self._open()
        self._the_system.refresh(force=True)
        return self._the_system

    def _open(self) -> t.Any:
        sushy = need("sushy")
        # It logs what it also raises; without a handler of its own that would go to the terminal.
        logging.getLogger("sushy").addHandler(logging.NullHandler())
        url = self.options.url({"https": 443, "http": 80})
        self._connection = sushy.auth.SessionOrBasicAuth(self.options.username, self.options.password)
        connector = sushy.connector.Connector(url, verify=self.options.trust())
        root = sushy.Sushy(url, auth=self._connection, connector=connector)
        return root.get_system(self._path(root.get_system_collection().members_identities))

    def _path(self, paths: t.Sequence[str]) -> str:
        """Of the system that is meant: the one the user names, or the only one."""
        wanted = self.options.system.rstrip("/")
        found = [path for path in paths if not wanted or wanted in {path.rstrip("/"), _last(path)}]
        if len(found) == 1:
            return found[0]
        names = ", ".join(map(_last, paths)) or "no system at all"
        problem = f"has no system {wanted!r}" if wanted else "has not exactly one system; say which with system"
        raise self.failure(f"The controller at {self.options.address} {problem}. It has: {names}.")

    @contextlib.contextmanager
    def _errors(self) -> t.Iterator[t.Any]:
        """Gives sushy, and turns what it raises into our errors."""
        sushy = need("sushy")
        errors, where = sushy.exceptions, f"The controller at {self.options.address}"
        try:
            yield sushy
        except errors.AccessError as error:
            advice = "Are username and password right, and may this user switch machines?"
            raise self.failure(f"{where} does not accept {self.options.username!r}. {advice}", PowerRefused) from error
        except errors.ConnectionError as error:
            raise self.failure(f"{where} cannot be reached. {tls_advice(error)}{error}") from error
        except (errors.InvalidParameterValueError, errors.MissingActionError) as error:
            raise self.unsupported(f"{where} does not offer that: {error}") from error
        except errors.SushyError as error:
            raise self.failure(f"{where} answers: {getattr(error, 'detail', None) or error}") from error
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:  # what sushy stumbles over
            advice = "Is this the address of a management controller, and is Redfish switched on there?"
            raise self.failure(f"{where} answers what is no Redfish ({error}). {advice}") from error


def _word(value: t.Any) -> str:
    """How Redfish writes a value of sushy."""
    return str(getattr(value, "value", value))


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
