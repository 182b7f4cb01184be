# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._netboot.mac import normal_mac, with_hyphens


@pytest.mark.parametrize(
    "text", ["52:54:00:aa:0b:cc", "52-54-00-AA-0B-CC", "5254.00aa.0bcc", "525400AA0BCC", " 52:54:0:aa:b:cc "]
)
def test_every_usual_form_is_one_address(text: str) -> None:
    assert normal_mac(text) == "52:54:00:aa:0b:cc"


@pytest.mark.parametrize(
    "text",
    ["", "pc-1", "52:54:00:aa:bb", "52:54:00:aa:bb:cc:dd", "52:54:00:aa:bb:zz", "00:00:00:00:00:00",
     "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "1382957", "00000000000000000000000000000000",
     "12:34:56", "1:2", "abcdef", "1234.5678", "52:54-00:aa-bb:cc", "0x525400123456", "52540012345",
     "\uff15\uff12:54:00:12:34:56"],
)  # fmt: skip
def test_what_is_no_address_of_a_card(text: str) -> None:
    with pytest.raises(UsageError, match="MAC address|network card"):
        normal_mac(text)


def test_a_number_that_yaml_made_of_an_address_is_refused() -> None:
    with pytest.raises(UsageError, match="quotes"):
        normal_mac(194873823)  # type: ignore[arg-type]


def test_with_hyphens() -> None:
    assert with_hyphens("52:54:00:aa:0b:cc") == "52-54-00-aa-0b-cc"
