#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_locale
short_description: Set time zone, language and keyboard of a deployed Linux, before it boots
version_added: 0.1.0
description:
  - Works on the files of the deployed system alone, and runs none of its programs. What is not said stays as it is.
  - What the deployed system does not have is an error; it must be in the image.
  - Those of a Windows are in its answer file.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  timezone:
    description: Time zone, such as V(Europe/Berlin). It is C(/etc/localtime), and C(/etc/timezone) if there is one.
    type: str
  locale:
    description:
      - Locale, such as V(de_DE); UTF-8, unless it says otherwise. It becomes C(LANG) in C(/etc/locale.conf) or
        C(/etc/default/locale). C(LC_ALL) and C(LANGUAGE) there, which would win over it, go.
      - If the deployed system has it only in C(/etc/locale.gen), it is generated at the first boot, before anybody can
        log in; RV(notes) say so.
    type: str
  keyboard:
    description:
      - Layout of the keyboard, as X calls it, such as V(de) or V(us). More than one with commas.
      - It is C(/etc/default/keyboard) on a Debian; else C(/etc/vconsole.conf), with the nearest that the console has,
        and C(/etc/X11/xorg.conf.d/00-keyboard.conf) where there is an X.
    type: str
  keyboard_variant:
    description: Variant of the layout, such as V(nodeadkeys).
    type: str
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: A computer in Berlin
  golden.fleet.os_locale:
    timezone: Europe/Berlin
    locale: de_DE
    keyboard: de
"""

RETURN = r"""
timezone:
  description: The time zone; null if none was asked for.
  returned: success
  type: str
  sample: Europe/Berlin
locale:
  description: The full name of the locale; null if none was asked for.
  returned: success
  type: str
  sample: de_DE.UTF-8
notes:
  description: What somebody should know.
  returned: success
  type: list
  elements: str
  sample: [The deployed system does not have de_DE.UTF-8 yet. It generates it at its first boot.]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.keyboards import Keyboard
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.locale import LocaleRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, open_tree

SPEC = ArgSpec(
    {
        "timezone": {"type": "str"},
        "locale": {"type": "str"},
        "keyboard": {"type": "str"},
        "keyboard_variant": {"type": "str"},
    },
    required_one_of=(("timezone", "locale", "keyboard"),),
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    layout, variant = module.params["keyboard"], module.params["keyboard_variant"]
    if variant and not layout:
        raise UsageError("A keyboard_variant is one of a keyboard; say which.")
    keyboard = Keyboard(layout, variant or "") if layout else None
    tree = open_tree(module.params["root"])
    tree.need(
        LINUX, "os_locale (language and time zone of a Windows are in its answer file, by golden.fleet.os_unattend)"
    )
    request = LocaleRequest(module.params["timezone"], module.params["locale"], keyboard)
    return apply(tree, request, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
