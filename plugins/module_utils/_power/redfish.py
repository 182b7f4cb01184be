# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Redfish, by the library sushy."""

from __future__ import annotations

import contextlib
import logging
import typing as t

from .._errors import PowerError, PowerRefused
from .._libraries import need
from .base import DISK, NETWORK, NONE, OFF, ON, UNKNOWN, Complaint, Power, PowerOptions

_STATES = {"On": ON, "Off": OFF}
_TARGETS = {NETWORK: "Pxe", DISK: "Hdd"}


class Redfish(Power):
    """A management controller with a Redfish service."""

    name = "redfish"

    def __init__(self, options: PowerOptions) -> None:
        super().__init__(options)
        self._need("address")
        self._sushy = need("sushy")
        # It talks about each attempt; what matters is in its exceptions.
        logging.getLogger("sushy").addHandler(logging.NullHandler())
        self._found: t.Any = None

    def state(self) -> str:
        with self._errors():
            return _STATES.get(_value(self._system().power_state), UNKNOWN)

    def next_boot(self) -> str:
        with self._errors():
            boot = self._system().boot
        if _value(boot.get("enabled")) in {"Disabled", "None"}:
            return NONE
        names = {redfish: ours for ours, redfish in _TARGETS.items()}
        return names.get(_value(boot.get("target")), UNKNOWN)

    def reset(self, force: bool = False) -> None:
        self._reset_system("FORCE_RESTART" if force else "GRACEFUL_RESTART")

    def _choose(self, target: str) -> None:
        source = self._sushy.BootSource(_TARGETS[target])
        with self._errors():
            self._system().set_system_boot_source(source, enabled=self._sushy.BootSourceOverrideEnabled.ONCE)

    def _switch_on(self) -> None:
        self._reset_system("ON")

    def _switch_off(self, force: bool) -> None:
        self._reset_system("FORCE_OFF" if force else "GRACEFUL_SHUTDOWN")

    def _reset_system(self, kind: str) -> None:
        with self._errors():
            self._system().reset_system(getattr(self._sushy.ResetType, kind))

    def _system(self) -> t.Any:
        """The system as it is now."""
        if self._found is None:
            self._found = self._find(self._connect().get_system_collection().get_members())
        else:
            self._found.refresh(force=True)
        return self._found

    def _find(self, systems: t.Sequence[t.Any]) -> t.Any:
        wanted = self.options.system
        fitting = [each for each in systems if wanted in {None, each.identity, each.name, each.uuid}]
        if len(fitting) != 1:
            names = ", ".join(f"{each.identity} ({each.name})" for each in systems) or "none"
            raise PowerError(f"{self.where} has these systems: {names}. Choose one with 'system'.", **self.facts)
        return fitting[0]

    def _connect(self) -> t.Any:
        options, address = self.options, str(self.options.address)
        url = address if "://" in address else f"https://{address}"
        port = f":{options.port}" if options.port else ""
        verify: bool | str = options.ca_file or options.verify_tls
        return self._sushy.Sushy(
            f"{url.rstrip('/')}{port}", username=options.username, password=options.password, verify=verify
        )

    @contextlib.contextmanager
    def _errors(self) -> t.Iterator[None]:
        errors = self._sushy.exceptions
        try:
            yield
        except errors.AccessError as error:
            raise PowerRefused(f"{self.where} does not accept user and password: {error}", **self.facts) from error
        except errors.BadRequestError as error:
            raise Complaint(str(error), **self.facts) from error
        except errors.SushyError as error:
            raise PowerError(f"{self.where}: {error}", **self.facts) from error


def _value(member: t.Any) -> str:
    return str(getattr(member, "value", member))
