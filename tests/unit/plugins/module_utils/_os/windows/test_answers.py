# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answer file: whole ones as golden files, and what must hold for all."""

from __future__ import annotations

import base64
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.answers import (
    Answers,
    Join,
    Oobe,
    User,
    answer_file,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

GOLDEN = Path(__file__).parent / "answers"
SPACE = {"": "urn:schemas-microsoft-com:unattend"}
BLOB = base64.b64encode(bytes(range(90))).decode()
SECRETS = ("s3cret & <more>", "pa55word", BLOB, "AAAAA-BBBBB-CCCCC-DDDDD-11111", "join-pw", "say token")
CASES: dict[str, tuple[Answers, str]] = {
    "nothing": (Answers(), "amd64"),
    "workgroup": (
        Answers(
            computer_name="pc-017",
            timezone="W. Europe Standard Time",
            locale="de_DE",
            keyboard="ch",
            product_key=SECRETS[3],
            owner="Lab A",
            organization="Müller & Söhne",
            administrator_password=SECRETS[1],
            users=(
                User("teacher", SECRETS[0], admin=True, full_name="The <teacher>"),
                User("guest account", groups=("Users", "Remote Desktop Users"), description="No password"),
            ),
            first_logon_commands=("cmd /c say token", "explorer"),
        ),
        "amd64",
    ),
    "offline_join": (Answers(computer_name="PC-018", locale="en_US.UTF-8", join=Join(blob=BLOB)), "arm64"),
    "join": (
        Answers(
            computer_name="pc-019",
            locale="fr-FR",
            language="en-US",
            join=Join(name="lab.example", ou="OU=Lab A,DC=lab,DC=example", username="joiner", password=SECRETS[4]),
            oobe=Oobe(hide_license=False, hide_network=False, hide_online_account=False, send_diagnostics=True),
        ),
        "amd64",
    ),
}
PLAIN = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1)


@pytest.mark.parametrize("case", CASES)
def test_whole_files(case: str) -> None:
    assert answer_file(*CASES[case]).decode() == (GOLDEN / f"{case}.xml").read_text("utf-8")


def test_the_golden_files_are_those_of_the_cases() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_what_is_shown_has_no_secret(case: str) -> None:
    content = answer_file(*CASES[case])
    told = shown(content)
    for secret in SECRETS:
        for form in (secret, base64.b64encode(f"{secret}Password".encode("utf-16-le")).decode()):
            assert form not in told
    ET.fromstring(told.encode())
    assert shown(b"<unattend><Password>x</Password></unattend>") == "not of golden.fleet, 43 bytes\n"


def _texts(content: bytes, name: str) -> list[str]:
    return [found.text or "" for found in ET.fromstring(content).iterfind(f".//{name}", SPACE)]


@given(PLAIN)
def test_every_text_comes_out_as_it_went_in(text: str) -> None:
    content = answer_file(Answers(owner=text, organization=text, first_logon_commands=(text,)), "amd64")
    for name in ("RegisteredOwner", "RegisteredOrganization", "CommandLine"):
        assert _texts(content, name) == [text]


@given(PLAIN, PLAIN)
def test_passwords_are_hidden_as_windows_does(one: str, other: str) -> None:
    content = answer_file(Answers(administrator_password=one, users=(User("u", other),)), "amd64")
    found = [base64.b64decode(each).decode("utf-16-le") for each in _texts(content, "Value")]
    assert found == [f"{one}AdministratorPassword", f"{other}Password"]


@pytest.mark.parametrize("bad", ["a\nb", "a\0", "\x1b[2J", "\x7f", "\ud800", "\uffff"])
@pytest.mark.parametrize("field", ["owner", "administrator_password", "user", "command", "domain"])
def test_what_xml_cannot_have(bad: str, field: str) -> None:
    answers: dict[str, Answers] = {
        "owner": Answers(owner=bad),
        "administrator_password": Answers(administrator_password=bad),
        "user": Answers(users=(User("u", bad),)),
        "command": Answers(first_logon_commands=(bad,)),
        "domain": Answers(join=Join(name="d", username="u", password=bad)),
    }
    with pytest.raises(UsageError, match="no single line of plain text") as caught:
        answer_file(answers[field], "amd64")
    assert bad not in caught.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"computer_name": "sixteen-letters1"}, "16 characters"),
        ({"computer_name": "a_b"}, "cannot be the name of a computer"),
        ({"product_key": "AAAAA"}, "product key"),
        ({"join": Join(blob="not base64!")}, "Base64"),
        ({"locale": "german"}, "no locale"),
        ({"users": (User("a" * 21),)}, "20 characters"),
        ({"users": (User("a/b"),)}, "cannot be the name of a user"),
        ({"users": (User("dot."),)}, "cannot be the name of a user"),
        ({"users": (User(". ."),)}, "cannot be the name of a user"),
        ({"users": (User("a"), User("A"))}, "two users"),
        ({"first_logon_commands": ("x" * 1025,)}, "1024 characters"),
        ({"first_logon_commands": ("x",) * 501}, "500"),
        ({"users": (User("a", groups=("x;Administrators",)),)}, "name of a group"),
    ],
)
def test_what_windows_would_not_take(change: dict[str, t.Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answer_file(replace(Answers(), **change), "amd64")


def test_what_is_shown_has_stars_for_secrets_alone() -> None:
    content = answer_file(
        Answers(users=(User("u", " s3cret"),), join=Join(name="d", username="u", password=" p")), "x86"
    )
    text = shown(content)
    assert "<Password>********</Password>" in text
    assert "<PlainText>false</PlainText>" in text
    assert "<Password>\n" in text
    assert " p<" not in text
