# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec LONG_WORK_SPEC means."""

    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - How long the work may take, for example V(45m) or V(12h); V(0) is for ever.
      - After that it is stopped, and the task fails. The next attempt goes on where it stopped.
    type: str
    default: 8h
  _job:
    description:
      - Internal. The action plugin of this module sets it. The work is then left to a process of its own,
        which the plugin follows with M(golden.fleet.job).
    type: str
notes:
  - While the work is going on, the task prints a line for each host whenever something new happens, and at
    least every C(golden_progress_interval) seconds (a variable, default 10). These lines hold no secrets, and
    C(no_log) does not hide them.
  - If the connection breaks meanwhile, the work goes on, and the task tries for C(golden_reconnect_timeout)
    seconds (a variable, default 300) to reach the machine again.
  - If the task is interrupted or its C(timeout) keyword strikes, the work is cancelled, also when an earlier
    run had begun it. If the controller dies, the work goes on; running the same task again attaches to it.
  - C(async) is supported but not needed; with it, nothing is printed while the work is going on.
"""
