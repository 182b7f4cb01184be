# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that run on an imaging server."""

    DOCUMENTATION = r"""
options:
  config:
    description: What the role P(golden.fleet.imaging_server#role) has written down about this server.
    type: path
    default: /etc/golden.fleet/netboot.json
requirements:
  - netaddr (Python library) on the imaging server; the role installs it
"""
