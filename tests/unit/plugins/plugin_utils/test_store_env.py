# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.plugin_utils._store_env import with_environment


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOLDEN_STORE_CA", raising=False)
    monkeypatch.setenv("GOLDEN_STORE", "/from/environment")
    monkeypatch.setenv("GOLDEN_STORE_USERNAME", "me")
    monkeypatch.setenv("GOLDEN_STORE_PASSWORD", "")


def test_what_the_task_leaves_out_is_filled_in() -> None:
    assert with_environment({"image": "lab-a"}) == {
        "image": "lab-a",
        "store": "/from/environment",
        "store_username": "me",
    }


def test_what_the_task_says_wins() -> None:
    assert with_environment({"store": "/mine", "store_username": ""}) == {"store": "/mine", "store_username": ""}


def test_credentials_are_for_the_store_that_is_named_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_environment({"store": "/from/environment"})["store_username"] == "me"
    assert with_environment({"store": "https://elsewhere.example/"}) == {"store": "https://elsewhere.example/"}
    monkeypatch.delenv("GOLDEN_STORE")
    assert with_environment({"store": "https://elsewhere.example/"})["store_username"] == "me"


def test_a_ca_file_of_the_controller_is_not_one_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_STORE_CA", "/etc/ca.pem")
    assert with_environment({}, local=True)["store_ca"] == "/etc/ca.pem"
    assert "store_ca" not in with_environment({}, local=False)


def test_the_task_s_own_arguments_stay_as_they_are() -> None:
    args: dict[str, str] = {}
    with_environment(args)
    assert args == {}
