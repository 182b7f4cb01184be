# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a distribution says of new accounts: login.defs and its like. Pure functions of their text."""

from __future__ import annotations

import re
import typing as t

from .records import is_number


class Defaults(t.NamedTuple):
    """For new users of this system.

    :ivar own_group: each has a group of the same name.
    :ivar group: name or number of the group of those who have none of their own.
    """

    uids: tuple[int, int] = (1000, 60000)
    gids: tuple[int, int] = (1000, 60000)
    subordinate_uids: tuple[int, int, int] = (100000, 600100000, 65536)
    subordinate_gids: tuple[int, int, int] = (100000, 600100000, 65536)
    own_group: bool = True
    group: str = "100"
    home_mode: int = 0o755
    home: str = "/home"
    skeleton: str = "/etc/skel"
    password_days: tuple[str, str, str] = ("0", "99999", "7")


def defaults_in(login_defs: str, useradd: str) -> Defaults:
    """:param login_defs: text of /etc/login.defs.
    :param useradd: text of /etc/default/useradd.
    """
    said = dict(re.findall(r"^[ \t]*([A-Z_]+)[ \t]+(\S+)", login_defs, re.MULTILINE))
    new = dict(re.findall(r"^[ \t]*([A-Z_]+)=[\"']?([^\s\"'#]*)", useradd, re.MULTILINE))
    known = Defaults()

    def number(key: str, otherwise: int) -> int:
        return int(said[key]) if is_number(said.get(key, "")) else otherwise

    def numbers(keys: str, otherwise: tuple[int, ...]) -> t.Any:
        return tuple(number(key, value) for key, value in zip(keys.split(), otherwise))

    def days(key: str, otherwise: str) -> str:
        return said[key] if is_number(said.get(key, "")) else otherwise

    return Defaults(
        uids=numbers("UID_MIN UID_MAX", known.uids),
        gids=numbers("GID_MIN GID_MAX", known.gids),
        subordinate_uids=numbers("SUB_UID_MIN SUB_UID_MAX SUB_UID_COUNT", known.subordinate_uids),
        subordinate_gids=numbers("SUB_GID_MIN SUB_GID_MAX SUB_GID_COUNT", known.subordinate_gids),
        own_group=said.get("USERGROUPS_ENAB", "yes").lower() == "yes",
        group=new.get("GROUP") or known.group,
        home_mode=_octal(said.get("HOME_MODE")) or 0o777 & ~(_octal(said.get("UMASK")) or 0o022),
        home=_path(new.get("HOME")) or known.home,
        skeleton=_path(new.get("SKEL")) or known.skeleton,
        password_days=(
            days("PASS_MIN_DAYS", known.password_days[0]),
            days("PASS_MAX_DAYS", known.password_days[1]),
            days("PASS_WARN_AGE", known.password_days[2]),
        ),
    )


def _octal(value: str | None) -> int | None:
    return int(value, 8) if value and re.fullmatch(r"0?[0-7]{3}", value) else None


def _path(value: str | None) -> str | None:
    return value if value and value.startswith("/") and ":" not in value else None
