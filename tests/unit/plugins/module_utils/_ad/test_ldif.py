# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

from ansible_collections.golden.fleet.plugins.module_utils._ad import ldif


def test_what_ldapsearch_prints() -> None:
    name = base64.b64encode("CN=PC-17,OU=Räume,DC=lab,DC=example".encode()).decode()
    text = f"""dn:: {name}
objectClass: top
objectClass: computer
userAccountControl: 4096

# refldap://ForestDnsZones.lab.example/DC=ForestDnsZones,DC=lab,DC=example

"""
    assert ldif.parse(text) == [
        {
            "dn": ["CN=PC-17,OU=Räume,DC=lab,DC=example"],
            "objectclass": ["top", "computer"],
            "useraccountcontrol": ["4096"],
        }
    ]
    assert ldif.parse("") == []


def test_no_value_can_be_taken_for_something_else() -> None:
    text = ldif.record("CN=A\n,DC=x", ("changetype", "add"), ("description", "a\nchangetype: delete"))
    assert len(text.splitlines()) == 3
    assert text.splitlines()[1] == "changetype: add"
    assert ldif.parse(text)[0]["description"] == ["a\nchangetype: delete"]
