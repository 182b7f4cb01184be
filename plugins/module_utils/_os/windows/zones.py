# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Time zones as Windows calls them.

The names are those of the Unicode CLDR, which Microsoft keeps up; the library tzlocal has them, and a release of it for
each change of theirs. A table of our own would be another one to be kept.
"""

from __future__ import annotations

from ..._errors import UsageError
from ..._libraries import need


def windows_zone(name: str) -> str:
    """The Windows time zone of an IANA one; one that is a Windows time zone already is taken as it is.

    :raises UsageError: it is neither.
    """
    zones = need("tzlocal").windows_tz
    if name in zones.win_tz:
        return name
    if not name or name not in zones.tz_win:
        raise UsageError(
            f"{name!r} is no time zone that Windows has, neither by its IANA name, such as Europe/Berlin, nor by that "
            "of Windows, such as W. Europe Standard Time."
        )
    return str(zones.tz_win[name])
