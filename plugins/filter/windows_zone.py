# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: windows_zone
short_description: The time zone of Windows for an IANA one
version_added: 0.1.0
description:
  - Translates the time zones of C(golden_timezone), which are those of a Linux, for modules that set up a Windows.
author:
  - golden.fleet contributors (@golden-fleet)
positional: _input
options:
  _input:
    description: An IANA time zone. One of Windows is returned as it is.
    type: str
    required: true
requirements:
  - the Python library tzlocal, on the controller
seealso:
  - module: ansible.windows.win_timezone
"""

EXAMPLES = r"""
- name: Set the time zone of a running Windows
  ansible.windows.win_timezone:
    timezone: "{{ 'Europe/Berlin' | golden.fleet.windows_zone }}"
"""

RETURN = r"""
_value:
  description: The name that Windows has for it, such as V(W. Europe Standard Time).
  type: str
"""

import typing as t

from ..module_utils._os.windows.zones import windows_zone
from ..plugin_utils._filters import says_what_is_wrong


class FilterModule:
    """How Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[[str], str]]:
        return {"windows_zone": says_what_is_wrong(windows_zone)}
