# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module says about itself."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what it would do, without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
      - This assumes that nobody else has changed the disk or the store in between.
  platform:
    description: Machines on which the module can run.
    support: full
    platforms: linux
"""

    # Together with the standard fragment, for modules that only look.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
"""

    ACTIONGROUP_STORE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/golden.fleet.store) in C(module_defaults) to say once where the store is.
    support: full
    membership:
      - golden.fleet.store
"""

    ACTIONGROUP_NETBOOT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/golden.fleet.netboot) in C(module_defaults) for these modules.
    support: full
    membership:
      - golden.fleet.netboot
"""

    ACTIONGROUP_POWER = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/golden.fleet.power) in C(module_defaults) for these modules.
    support: full
    membership:
      - golden.fleet.power
"""
