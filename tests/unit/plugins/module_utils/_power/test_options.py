# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.golden.fleet.plugins.module_utils._argspec import POWER_SPEC
from ansible_collections.golden.fleet.plugins.module_utils._errors import LibraryMissing, PowerUnsupported, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._libraries import need
from ansible_collections.golden.fleet.plugins.module_utils._power.base import NETWORK
from ansible_collections.golden.fleet.plugins.module_utils._power.options import PowerOptions, power_options
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import PROVIDERS, open_power
from ansible_collections.golden.fleet.plugins.module_utils._power.wol import magic_packet

PORTS = {"https": 443, "http": 80}


def options(**given: t.Any) -> PowerOptions:
    """As a module gets them."""
    checked = ArgumentSpecValidator(dict(POWER_SPEC.options)).validate({"power": given})
    assert not checked.error_messages
    return power_options(checked.validated_parameters["power"])


def test_the_spec_and_the_code_have_the_same_providers_and_defaults() -> None:
    suboptions = POWER_SPEC.options["power"]["options"]
    assert sorted(suboptions["provider"]["choices"]) == sorted(PROVIDERS)
    assert options(provider="manual") == PowerOptions("manual")


def test_options_as_users_write_them(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret with blanks \n")
    found = options(provider="ipmi", port="6230", timeout="5m", password_file=str(tmp_path / "password"), password="x")
    assert (found.port, found.timeout, found.password) == (6230, 300.0, "s3cret with blanks ")
    assert "s3cret" not in repr(found)


def test_the_password_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_POWER_USERNAME", "admin")
    monkeypatch.setenv("GOLDEN_POWER_PASSWORD", "s3cret")
    found = options(provider="redfish", address="bmc")
    assert (found.username, found.password) == ("admin", "s3cret")


def test_a_password_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        options(provider="ipmi", password_file=str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is no text"):
        options(provider="ipmi", password_file=str(tmp_path / "binary"))


@pytest.mark.parametrize(
    ("address", "port", "url"),
    [
        ("bmc-07", None, "https://bmc-07:443"),
        ("bmc-07:8443", None, "https://bmc-07:8443"),
        ("bmc-07:8443", 8000, "https://bmc-07:8000"),
        ("http://bmc-07", None, "http://bmc-07:80"),
        ("http://10.0.0.7:8000/redfish/v1", None, "http://10.0.0.7:8000"),
        ("[fd00::7]", None, "https://[fd00::7]:443"),
    ],
)
def test_urls(address: str, port: int | None, url: str) -> None:
    assert PowerOptions("redfish", address=address, port=port).url(PORTS) == url


@pytest.mark.parametrize("address", ["ftp://bmc", "bmc:many", "https://"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError, match="address"):
        PowerOptions("redfish", address=address).url(PORTS)


def test_credentials_do_not_belong_into_an_address() -> None:
    with pytest.raises(UsageError) as caught:
        PowerOptions("redfish", address="https://admin:s3cret@bmc").url(PORTS)
    assert "s3cret" not in caught.value.message


def test_certificates() -> None:
    assert PowerOptions("redfish").trust() is True
    assert PowerOptions("redfish", ca_file="/ca.pem").trust() == "/ca.pem"
    assert PowerOptions("redfish", ca_file="/ca.pem", verify_tls=False).trust() is False


@pytest.mark.parametrize(("provider", "missing"), [("redfish", "username and password"), ("wol", "mac")])
def test_what_a_provider_needs(provider: str, missing: str) -> None:
    with pytest.raises(UsageError, match=f"The power provider {provider} needs {missing}"):
        open_power(PowerOptions(provider, address="bmc"))


@pytest.mark.parametrize("provider", ["manual", "wol"])
def test_what_cannot_be_done_says_what_to_do(provider: str) -> None:
    power = open_power(PowerOptions(provider, mac="52:54:00:12:34:56"))
    for ask in (power.off, power.reset, lambda: power.set_next_boot(NETWORK), lambda: power.start(force=True)):
        with pytest.raises(PowerUnsupported) as caught:
            ask()
        assert caught.value.facts == {"provider": provider, "address": None, "unsupported": True}


def test_a_person_is_told_what_to_press() -> None:
    assert "boot menu" in open_power(PowerOptions("manual")).start()


def test_a_magic_packet() -> None:
    packet = magic_packet("52-54-00-12-34-56")
    assert packet == b"\xff" * 6 + b"\x52\x54\x00\x12\x34\x56" * 16
    assert len(packet) == 102


def test_a_library_of_controllers_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "winrm", None)
    with pytest.raises(
        LibraryMissing, match=r"pywinrm \(Debian package python3-winrm\) is missing.*pip install pywinrm"
    ):
        need("winrm")
