# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._ad.names import check_domain, check_ou, parent_of, same
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError


def test_a_domain() -> None:
    assert check_domain("Lab.Example") == "lab.example"


@pytest.mark.parametrize("name", ["LAB", "", "lab..example", "lab.example\n[libdefaults]", "lab_a.example", "10.0.0.1"])
def test_no_domain(name: str) -> None:
    with pytest.raises(UsageError):
        check_domain(name)


@pytest.mark.parametrize(
    ("dn", "clean"),
    [
        ("OU=Lab A,DC=lab,DC=example", "OU=Lab A,DC=lab,DC=example"),
        (" ou=Räume, OU=Lab A , dc=LAB,dc=example", "ou=Räume,OU=Lab A,dc=LAB,dc=example"),
        (r"OU=A\, B \+ C,DC=lab,DC=example", r"OU=A\, B \+ C,DC=lab,DC=example"),
        ("CN=Computers,DC=lab,DC=example", "CN=Computers,DC=lab,DC=example"),
    ],
)
def test_an_ou(dn: str, clean: str) -> None:
    assert check_ou(dn, "lab.example") == clean


@pytest.mark.parametrize(
    "dn",
    [
        "Lab A",
        "OU=Lab A",
        "OU=Lab A,DC=other,DC=example",
        "OU=Lab A,DC=notlab,DC=example",
        "DC=lab,DC=example",
        "OU=,DC=lab,DC=example",
        "OU=A\nB,DC=lab,DC=example",
        "OU=A,,DC=lab,DC=example",
        'OU="A",DC=lab,DC=example',
        "OU=A\\",
    ],
)
def test_no_ou(dn: str) -> None:
    with pytest.raises(UsageError, match="Lab A|distinguished|domain"):
        check_ou(dn, "lab.example")


def test_the_parent_and_whether_two_are_the_same() -> None:
    assert parent_of(r"CN=A\, B,OU=Lab A,DC=lab,DC=example") == "OU=Lab A,DC=lab,DC=example"
    assert same("OU=Lab A,DC=lab,DC=example", "ou=lab a, dc=LAB,DC=example")
    assert not same("OU=Lab A,DC=lab,DC=example", "OU=Lab B,DC=lab,DC=example")


def test_names_are_the_same_however_they_are_written() -> None:
    assert same(r"OU=a\=b\, R\C3\A4ume,DC=lab", r"ou=a\3db\2c Räume,dc=lab")
    assert not same(r"OU=a\,b,DC=lab", "OU=a,b,DC=lab")
    assert parent_of(r"CN=ends with \\,OU=Lab A,DC=lab") == "OU=Lab A,DC=lab"
    assert same(r"OU=\\,DC=lab", r"OU=\5c,DC=lab")
