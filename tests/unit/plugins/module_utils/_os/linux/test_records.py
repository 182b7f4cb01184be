# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account files: what nobody asks about stays, byte for byte."""

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import records
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.account_files import (
    GROUP,
    GSHADOW,
    PASSWD,
    SHADOW,
    SUBGID,
    SUBUID,
    Account,
    Texts,
    others_with_home,
    with_user,
    without_user,
)
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.login_defs import Defaults, defaults_in
from hypothesis import given
from hypothesis import strategies as st

TODAY = 20_000
HASH = "$y$j9T$abcdefgh$ijklmnop"
DEFAULTS = Defaults()
TEXTS: Texts = {
    PASSWD: "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
    "setup:x:1000:1000:Setup,,,:/home/setup:/bin/bash\n",
    SHADOW: "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\nsetup:!:19000:0:99999:7:::\n",
    GROUP: "root:x:0:\nsudo:x:27:setup\nusers:x:100:\nnogroup:x:65534:\nsetup:x:1000:\n",
    GSHADOW: "root:*::\nsudo:*::setup\nusers:*::\nnogroup:*::\nsetup:!::\n",
    SUBUID: "setup:100000:65536\n",
    SUBGID: "setup:100000:65536\n",
}

# Whatever somebody may have written into such a file: names, comments, NIS, nonsense, odd line ends.
line = st.text(alphabet=st.sampled_from("teacher:x0,#+-\r\x0b\u2028\udcff "), max_size=30)
text = st.lists(line, max_size=8).map("\n".join)


def others(content: str, name: str = "teacher") -> list[str]:
    return [each for each in content.split("\n") if not each.startswith(f"{name}:")]


@given(text)
def test_a_line_is_put_and_dropped_and_no_other_touched(before: str) -> None:
    fields = ["teacher", "x", "1000", "member"]
    after = records.put(before, fields)
    assert records.find(after, "teacher") == fields
    assert records.put(after, fields) == after
    assert [each for each in others(after) if each] == [each for each in others(before) if each]
    dropped = records.drop(after, "teacher")
    assert records.find(dropped, "teacher") is None
    assert [each for each in others(dropped) if each] == [each for each in others(before) if each]


@given(text)
def test_a_text_that_ends_well_is_the_same_afterwards(before: str) -> None:
    before = "".join(f"{each}\n" for each in others(before) if each)
    assert records.drop(records.put(before, ["teacher", "x"]), "teacher") == before


@given(text, st.sampled_from(["teacher", "t", "each"]))
def test_members_come_and_go(before: str, user: str) -> None:
    before = records.put(before, ["teacher", "x", "7", "root,setup"])
    after = records.with_member(before, "teacher", user)
    assert records.with_member(after, "teacher", user) == after
    assert others(after) == others(before)
    assert records.without_member(after, "teacher", user) == before
    assert user in records.members(records.find(after, "teacher") or [])


def test_names_come_before_those_of_nis() -> None:
    assert records.put("root:x\n+::::::\n", ["a", "x"]) == "root:x\na:x\n+::::::\n"
    assert records.put("root:x", ["a", "x"]) == "root:x\na:x\n"
    assert records.put("", ["a", "x"]) == "a:x\n"


def test_numbers() -> None:
    assert records.free_number([], 1000, 1002) == 1000
    assert records.free_number([0, 1001, 65534], 1000, 1002) == 1002
    assert records.free_number([1002], 1000, 1002) == 1000
    assert records.free_number([1000, 1001, 1002], 1000, 1002) is None
    assert records.free_range("", 100, 999, 100) == 100
    assert records.free_range("a:100:100\nb:300:100\nc:x:1\n", 100, 999, 100) == 200
    assert records.free_range("a:100:100\nb:250:100\n", 100, 999, 100) == 350
    assert records.free_range("a:100:850\n", 100, 999, 100) is None


def test_a_new_user() -> None:
    wish = Account("teacher", groups=("sudo",), comment="Teacher", shell="/bin/bash", password=HASH)
    after = with_user(TEXTS, wish, DEFAULTS, TODAY)
    assert after[PASSWD] == TEXTS[PASSWD] + "teacher:x:1001:1001:Teacher:/home/teacher:/bin/bash\n"
    assert after[SHADOW] == TEXTS[SHADOW] + f"teacher:{HASH}:20000:0:99999:7:::\n"
    assert after[GROUP] == TEXTS[GROUP].replace("sudo:x:27:setup", "sudo:x:27:setup,teacher") + "teacher:x:1001:\n"
    assert after[GSHADOW] == TEXTS[GSHADOW].replace("sudo:*::setup", "sudo:*::setup,teacher") + "teacher:!::\n"
    assert after[SUBUID] == after[SUBGID] == "setup:100000:65536\nteacher:165536:65536\n"
    assert with_user(after, wish._replace(password=None), DEFAULTS, TODAY + 1) == after
    assert without_user(after, "teacher") == TEXTS


def test_a_system_with_less() -> None:
    less = {path: TEXTS[path] for path in (PASSWD, SHADOW, GROUP)}
    after = with_user(less, Account("teacher"), DEFAULTS._replace(own_group=False), today=0)
    assert set(after) == set(less)
    assert after[PASSWD].endswith("\nteacher:x:1001:100::/home/teacher:/bin/sh\n")
    assert after[SHADOW].endswith("\nteacher:*::0:99999:7:::\n"), "day 0 would have the password changed at once"
    assert after[GROUP] == less[GROUP]
    assert without_user(after, "teacher") == less


def test_a_user_is_changed() -> None:
    after = with_user(TEXTS, Account("setup", comment="", not_groups=("sudo",), password=HASH), DEFAULTS, TODAY)
    assert records.find(after[PASSWD], "setup") == ["setup", "x", "1000", "1000", "", "/home/setup", "/bin/bash"]
    assert records.find(after[SHADOW], "setup") == ["setup", HASH, "20000", "0", "99999", "7", "", "", ""]
    assert "sudo:x:27:\n" in after[GROUP]
    assert "sudo:*::\n" in after[GSHADOW]
    assert after[SUBUID] == TEXTS[SUBUID]
    moved = with_user(TEXTS, Account("setup", group="users", home="/srv/setup", shell="/bin/sh"), DEFAULTS, TODAY)
    assert moved[PASSWD].endswith("setup:x:1000:100:Setup,,,:/srv/setup:/bin/sh\n")


def test_leftovers_of_an_interruption_are_taken_over() -> None:
    whole = with_user(TEXTS, Account("teacher", password=HASH), DEFAULTS, TODAY)
    interrupted = {**whole, PASSWD: TEXTS[PASSWD]}
    assert with_user(interrupted, Account("teacher", password=HASH), DEFAULTS, TODAY) == whole
    assert without_user(interrupted, "teacher") == TEXTS


def test_what_does_not_fit() -> None:
    for wish, message in (
        (Account("setup", uid=1500), "already, with the number 1000, not 1500"),
        (Account("teacher", uid=1000), "the number 1000 already, of the user setup"),
        (Account("teacher", group="none"), "no group none"),
        (Account("teacher", groups=("none",)), "no group none"),
    ):
        with pytest.raises(OsError, match=message):
            with_user(TEXTS, wish, DEFAULTS, TODAY)
    with pytest.raises(OsError, match="no number left"):
        with_user(TEXTS, Account("teacher"), DEFAULTS._replace(uids=(1000, 1000)), TODAY)
    with pytest.raises(OsError, match="makes no sense"):
        with_user({**TEXTS, PASSWD: "setup:x:abc\n"}, Account("setup"), DEFAULTS, TODAY)
    taken = {**TEXTS, GROUP: TEXTS[GROUP] + "other:x:2000:\n"}
    assert "teacher:x:2001:" in with_user(taken, Account("teacher", uid=2000), DEFAULTS, TODAY)[GROUP]


def test_only_the_users_own_group_goes_with_him() -> None:
    shared = {**TEXTS, GROUP: TEXTS[GROUP].replace("setup:x:1000:", "setup:x:1000:root")}
    assert "setup:x:1000:root" in without_user(shared, "setup")[GROUP]
    primary = {**TEXTS, PASSWD: TEXTS[PASSWD] + "b:x:1001:1000::/home/b:/bin/sh\n"}
    assert "setup:x:1000:" in without_user(primary, "setup")[GROUP]
    assert without_user(TEXTS, "sudo") == TEXTS, "a group, and no user"
    assert without_user(TEXTS, "nobody")[GROUP] == TEXTS[GROUP]


names = st.from_regex(r"[abs_][abs_.-]{0,2}", fullmatch=True)


@given(st.lists(names, unique=True, max_size=6), names)
def test_users_come_and_go(crowd: list[str], name: str) -> None:
    texts = TEXTS
    for each in crowd:
        texts = with_user(texts, Account(each, groups=("sudo",)), DEFAULTS, TODAY)
    uids = [fields[2] for fields in records.rows(texts[PASSWD])]
    assert len(set(uids)) == len(uids)
    if name not in crowd:
        assert without_user(with_user(texts, Account(name, groups=("sudo",)), DEFAULTS, TODAY), name) == texts
    for each in crowd:
        texts = without_user(texts, each)
    assert texts == TEXTS


def test_who_lives_there() -> None:
    passwd = TEXTS[PASSWD] + "b:x:1001:1001::/home/setup/b:/bin/sh\nc:x:1002:1002::/home/setup2:/bin/sh\n"
    assert others_with_home(passwd, "setup", "/home/setup") == ["b"]
    assert others_with_home(passwd, "b", "/home/setup/b/") == []
    assert "root" in others_with_home(passwd, "setup", "/")


def test_what_a_distribution_says() -> None:
    assert defaults_in("", "") == Defaults()
    debian = "UID_MIN\t\t 1000\nUMASK 022\nHOME_MODE\t0700\nUSERGROUPS_ENAB yes\n#UID_MAX 5\nPASS_MAX_DAYS 90\n"
    found = defaults_in(debian, "SHELL=/bin/sh\n# GROUP=7\nSKEL=/etc/skeleton\nHOME='/srv/home'\n")
    assert (found.home_mode, found.skeleton, found.home) == (0o700, "/etc/skeleton", "/srv/home")
    assert found.password_days == ("0", "90", "7")
    suse = defaults_in("USERGROUPS_ENAB no\nUMASK 077\nUID_MIN x\n", "GROUP=users\n")
    assert (suse.own_group, suse.group, suse.home_mode, suse.uids) == (False, "users", 0o700, (1000, 60000))
