# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: windows_locale
short_description: The locale of Windows for one of a Linux
version_added: 0.1.0
description:
  - Translates what C(golden_locale) takes, for modules that set up a Windows.
author:
  - golden.fleet contributors (@golden-fleet)
positional: _input
options:
  _input:
    description: A locale, such as V(de_DE.UTF-8) or V(de_DE).
    type: str
    required: true
seealso:
  - module: ansible.windows.win_region
"""

EXAMPLES = r"""
- name: Set the region of a running Windows
  ansible.windows.win_region:
    format: "{{ 'de_DE.UTF-8' | golden.fleet.windows_locale }}"
"""

RETURN = r"""
_value:
  description: The name that Windows has for it, such as V(de-DE).
  type: str
"""

import typing as t

from ..module_utils._os.windows.languages import locale
from ..plugin_utils._filters import says_what_is_wrong


class FilterModule:
    """How Ansible finds it."""

    def filters(self) -> dict[str, t.Callable[[str], str | None]]:
        return {"windows_locale": says_what_is_wrong(locale)}
