# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be built: the variables of the role, without their prefix."""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, fields

_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_KEYBOARD = re.compile(r"[a-z]+( [a-z0-9_-]+)?")
_OF_FILES = ("authorized_keys", "ca", "console_shell", "consoles", "idle", "parameters")


@dataclass(frozen=True)
class Settings:
    """Described in meta/argument_specs.yml, each by its name.

    :ivar ca: the certificate itself, in PEM.
    :ivar idle: seconds.
    """

    suite: str
    mirrors: list[str]
    components: list[str]
    packages: list[str]
    extra_packages: list[str]
    firmware_packages: list[str]
    libraries: list[str]
    modules: list[str]
    keyboard: str
    authorized_keys: list[str]
    ca: str
    console_shell: bool
    consoles: list[str]
    idle: int
    parameters: list[str]

    @classmethod
    def of(cls, found: dict[str, t.Any]) -> Settings:
        """:raises ValueError: something is missing, or of another type."""
        kinds = {each.name: str(each.type) for each in fields(cls)}
        if set(found) != set(kinds):
            raise ValueError(f"settings must be {', '.join(kinds)}; these are {', '.join(found)}")
        values = {name: _value(name, kind, found[name]) for name, kind in kinds.items()}
        if not _KEYBOARD.fullmatch(values["keyboard"]):
            raise ValueError(
                f"boot_env_keyboard is {values['keyboard']!r}, not a layout such as 'de' or 'de nodeadkeys'"
            )
        return cls(**values)

    def of_packages(self) -> dict[str, t.Any]:
        """What the slow part of a build depends on; the rest is a few files that are added."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_FILES}

    def every_package(self) -> list[str]:
        return sorted({*self.packages, *self.extra_packages, *self.firmware_packages, *self._keyboard_packages()})

    def cmdline(self) -> str:
        """What the kernel must be told, whoever starts it. After an oops nothing the machine says can be trusted."""
        consoles = [f"console={each}" for each in self.consoles]
        return " ".join([*consoles, "panic=30", "oops=panic", "quiet", *self.parameters])

    def _keyboard_packages(self) -> list[str]:
        return ["console-setup", "kbd"] if self.keyboard != "us" else []


def _value(name: str, kind: str, value: t.Any) -> t.Any:
    """Numbers and booleans may be text: so they are in variables from Ansible's command line."""
    if kind == "int" and str(value).isdigit():
        return int(value)
    if kind == "bool" and str(value).lower() in _BOOLEANS:
        return _BOOLEANS[str(value).lower()]
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "list[str]" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise ValueError(f"boot_env_{name} is {value!r}, not {kind}")
