# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import yaml
from ansible.plugins.connection import ssh


def _without_versions(found: t.Any) -> t.Any:
    """The versions are those of ansible-core, and would be taken for ours."""
    if isinstance(found, dict):
        return {key: _without_versions(value) for key, value in found.items() if key != "version_added"}
    if isinstance(found, list):
        return [_without_versions(each) for each in found]
    return found


class ModuleDocFragment:
    """The options of Ansible's own plugin, as the ansible-core that is installed has them."""

    DOCUMENTATION: str = json.dumps({"options": _without_versions(yaml.safe_load(ssh.DOCUMENTATION)["options"])})
