# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of a Windows that does not run, on a real NTFS; what we write is read back by two readers of others."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os import acl
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import Tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import facts, hostname, identity, libhivex
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.hive import (
    PLACES,
    Edit,
    change,
    read_keys,
    read_value,
)
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import Value, string, value_of
from regipy.registry import RegistryHive
from Registry import Registry

from tests.support.hives import make_hive, unclean
from tests.support.windows import CONTROL, HIVE_ACL, deployed_windows, keys, opened, write_hive

NAME = rf"{CONTROL}\ComputerName\ComputerName"
NETWORK = r"ControlSet002\Services\Tcpip\Parameters"


@pytest.fixture
def tree(tmp_path: Path) -> t.Iterator[Tree]:
    with deployed_windows(tmp_path, generalized=False) as found:
        yield found


def file_of(tree: Tree, hive: str = "SYSTEM") -> Path:
    return Path(tree.root.path + PLACES[hive])


def by_python_registry(file: Path) -> dict[str, dict[str, tuple[int, bytes]]]:
    """Each key with its values: type and bytes."""

    def walk(key: t.Any, path: str) -> t.Iterator[tuple[str, dict[str, tuple[int, bytes]]]]:
        values = {each.name(): (each.value_type(), each.raw_data()) for each in key.values()}
        yield path, {"" if name == "(default)" else name: value for name, value in values.items()}
        for each in key.subkeys():
            yield from walk(each, f"{path}\\{each.name()}".lstrip("\\"))

    return dict(walk(Registry.Registry(str(file)).root(), ""))


def by_regipy(file: Path, key: str) -> dict[str, t.Any]:
    return {each.name: each.value for each in RegistryHive(str(file)).get_key(f"\\{key}").iter_values()}


def test_what_the_tests_make_is_what_others_read(tree: Tree) -> None:
    found = by_python_registry(file_of(tree))
    for key, values in keys()["SYSTEM"].items():
        assert found[key] == {name: (value.kind, value.data) for name, value in values.items()}, key
        assert read_keys(tree.root, "SYSTEM", key) == [values], key
    assert by_regipy(file_of(tree), NAME)["ComputerName"] == "REFERENCE"


def test_values_of_each_type(tree: Tree) -> None:
    values = {
        "text": string("Grüße, 世界"),
        "expanded": value_of("expandstring", r"%SystemRoot%\x"),
        "list": value_of("multistring", ["one", "two"]),
        "few": value_of("dword", 0xFFFFFFFF),
        "many": value_of("qword", 1 << 63),
        "bytes": value_of("binary", "00,ff 10"),
        "nothing": value_of("none", None),
        "": string("the default one"),
        "größe": string("a name that is not ASCII"),
        "long": Value(3, bytes(range(256)) * 63),
    }
    before = by_python_registry(file_of(tree))
    edits = [Edit(r"ControlSet001\new\deep", name, value) for name, value in values.items()]
    done = change(tree.root, "SYSTEM", edits, check=False)
    assert done["changed"]
    assert done["diff"]["after"][r"ControlSet001\new\deep\few"] == 0xFFFFFFFF
    assert done["diff"]["before"] == {}
    assert not change(tree.root, "SYSTEM", edits, check=False)["changed"]
    after = by_python_registry(file_of(tree))
    assert after.pop(r"ControlSet001\new\deep") == {name: (each.kind, each.data) for name, each in values.items()}
    assert after.pop(r"ControlSet001\new") == {}
    assert after == before, "something else has changed"
    told = by_regipy(file_of(tree), r"ControlSet001\new\deep")
    assert told["text"] == "Grüße, 世界"
    assert told["list"] == ["one", "two"]
    assert told["many"] == 1 << 63
    assert read_value(tree.root, "SYSTEM", r"controlset001\NEW\deep", "TEXT") == values["text"]
    assert RegistryHive(str(file_of(tree))).header.primary_sequence_num == 8


def test_other_values_of_the_key_stay_as_they_are_to_the_byte(tree: Tree) -> None:
    before = by_python_registry(file_of(tree))
    assert change(tree.root, "SYSTEM", [Edit(NETWORK, "HOSTNAME", string("pc-017"))], check=False)["changed"]
    after = by_python_registry(file_of(tree))
    assert set(after[NETWORK]) == set(before[NETWORK])
    assert after[NETWORK]["Hostname"] == (1, string("pc-017").data)
    for name in ("Domain", "DataBasePath", "NV Hostname"):
        assert after[NETWORK][name] == before[NETWORK][name]


def test_values_are_taken_away(tree: Tree) -> None:
    gone = [Edit(NETWORK, "domain", None), Edit(NETWORK, "never there", None), Edit(r"no\such\key", "x", None)]
    would = change(tree.root, "SYSTEM", gone, check=True)
    assert would["changed"]
    assert would["diff"] == {"before": {rf"{NETWORK}\domain": "lab.example"}, "after": {}}
    assert "Domain" in by_python_registry(file_of(tree))[NETWORK], "check mode has written"
    assert change(tree.root, "SYSTEM", gone, check=False)["changed"]
    assert not change(tree.root, "SYSTEM", gone, check=False)["changed"]
    found = by_python_registry(file_of(tree))
    assert "Domain" not in found[NETWORK]
    assert "no" not in found


def test_nothing_is_written_when_nothing_changes(tree: Tree) -> None:
    before = file_of(tree).stat()
    assert not change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("REFERENCE"))], check=False)["changed"]
    assert file_of(tree).stat().st_ino == before.st_ino


def test_a_hive_keeps_its_protection(tree: Tree) -> None:
    place = file_of(tree)
    os.setxattr(place, "system.ntfs_attrib", (0x26).to_bytes(4, "little"))  # hidden, system, archive
    assert len(HIVE_ACL) > 128
    change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("PC"))], check=False)
    assert tree.root.descriptor(PLACES["SYSTEM"]) == HIVE_ACL
    assert os.getxattr(place, "system.ntfs_attrib") == (0x26).to_bytes(4, "little")
    assert sorted(each.name for each in place.parent.iterdir()) == ["SECURITY", "SOFTWARE", "SYSTEM"]


def test_the_current_control_set_is_the_one_that_select_names(tree: Tree) -> None:
    edit = Edit(r"currentcontrolset\Control\New", "x", string("y"))
    change(tree.root, "SYSTEM", [edit], check=False)
    assert by_python_registry(file_of(tree))[rf"{CONTROL}\New"]["x"][0] == 1
    write_hive(Path(tree.root.path), "SYSTEM", make_hive({"Select": {}}))
    with pytest.raises(OsError, match="does not say which control set is current"):
        change(tree.root, "SYSTEM", [edit], check=False)


def test_an_unclean_hive_is_refused(tree: Tree) -> None:
    dirty = unclean(file_of(tree).read_bytes())
    file_of(tree).write_bytes(dirty)
    for work in (
        lambda: read_value(tree.root, "SYSTEM", NAME, "ComputerName"),
        lambda: change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("PC"))], check=False),
        lambda: hostname.apply(tree, "pc-017", check=False),
    ):
        with pytest.raises(OsError, match="SYSTEM of the deployed system is not clean.*shut it down"):
            work()
    assert file_of(tree).read_bytes() == dirty
    assert "is not clean" in facts.facts(tree.root)["registry"]


@pytest.mark.parametrize("content", [b"", b"regf", b"regf" + bytes(8188), b"MZ" + bytes(9000)])
def test_what_is_no_hive(tree: Tree, content: bytes) -> None:
    file_of(tree).write_bytes(content)
    with pytest.raises(OsError, match="SYSTEM of the deployed system"):
        change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("PC"))], check=False)
    assert file_of(tree).read_bytes() == content


def test_damaged_hives_do_no_harm(tree: Tree) -> None:
    """Whatever the library does with them, we live, and either say that it is damaged or have changed the value."""
    whole = file_of(tree).read_bytes()
    chance = random.Random(4)
    said, left = [], []
    for _each in range(60):
        damaged = bytearray(whole)
        for _byte in range(8):
            damaged[chance.randrange(4096, len(damaged))] = chance.randrange(256)
        file_of(tree).write_bytes(damaged)
        try:
            change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("PC"))], check=False)
        except OsError as error:
            said.append(error.message)
            left.append(file_of(tree).read_bytes() == damaged)
    assert said
    assert all(left)
    assert all(PLACES["SYSTEM"] in each for each in said)


def test_a_missing_hive_a_fifo_and_two_of_one_name(tree: Tree) -> None:
    with pytest.raises(OsError, match=r"There is no /Users/Default/NTUSER\.DAT"):
        read_value(tree.root, "NTUSER", "Software", "x")
    place = file_of(tree)
    shutil.copy(place, place.with_name("System"))
    with pytest.raises(OsError, match="two names that Windows cannot tell apart"):
        hostname.apply(tree, "pc-017", check=False)
    place.with_name("System").unlink()
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(OsError, match="no plain file"):
        hostname.apply(tree, "pc-017", check=False)


def test_a_value_that_windows_keeps_in_pieces_is_not_touched(tree: Tree) -> None:
    write_hive(Path(tree.root.path), "SYSTEM", make_hive({"key": {"large": Value(3, bytes(16345)), "x": string("y")}}))
    before = file_of(tree).read_bytes()
    with pytest.raises(OsError, match="more than 16344 bytes"):
        change(tree.root, "SYSTEM", [Edit("key", "x", string("z"))], check=False)
    assert file_of(tree).read_bytes() == before


def test_a_full_filesystem_leaves_the_old_hive(tree: Tree) -> None:
    before = file_of(tree).read_bytes()
    ballast = Path(tree.root.path, "ballast")
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
    with ballast.with_name("more").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass
    with pytest.raises(OsError, match="No space left"):
        change(tree.root, "SYSTEM", [Edit(NAME, "ComputerName", string("PC"))], check=False)
    assert file_of(tree).read_bytes() == before
    assert sorted(each.name for each in file_of(tree).parent.iterdir()) == ["SECURITY", "SOFTWARE", "SYSTEM"]


def test_a_filesystem_that_can_only_be_read(tmp_path: Path) -> None:
    with deployed_windows(tmp_path, generalized=False):
        pass
    with opened(tmp_path / "windows.img", "ro,norecover") as tree:
        assert hostname.apply(tree, "pc-017", check=True)["changed"]
        with pytest.raises(OsError, match="Read-only file system"):
            hostname.apply(tree, "pc-017", check=False)


def test_facts(tree: Tree) -> None:
    assert facts.facts(tree.root) == {
        "name": "Windows 11 Pro",
        "edition": "Professional",
        "version": "23H2",
        "build": "22631.3007",
        "architecture": "amd64",
        "hostname": "REFERENCE",
        "generalized": False,
        "fast_startup": True,
        "registry": None,
    }
    write_hive(Path(tree.root.path), "SOFTWARE", make_hive(keys()["SOFTWARE"]))
    assert facts.facts(tree.root)["generalized"]
    write_hive(Path(tree.root.path), "SOFTWARE", make_hive({"": {}}))
    assert facts.facts(tree.root)["name"] is None
    assert not facts.facts(tree.root)["generalized"]


def test_a_name(tree: Tree) -> None:
    would = hostname.apply(tree, "pc-017", check=True)
    assert would["changed"]
    assert hostname.apply(tree, "pc-017", check=False) == would
    assert not hostname.apply(tree, "pc-017", check=False)["changed"]
    found = by_regipy(file_of(tree), NETWORK)
    assert (found["Hostname"], found["NV Hostname"]) == ("pc-017", "pc-017")
    assert by_regipy(file_of(tree), NAME) == {"(default)": "mnmsrvc", "ComputerName": "PC-017"}
    assert would["diff"]["before"][r"CurrentControlSet\Services\Tcpip\Parameters\Hostname"] == "reference"
    for name in ("sixteen-letters1", "a_b", "-a", "a.b", "", "123"):
        with pytest.raises(UsageError):
            hostname.apply(tree, name, check=True)


def test_a_generalized_one_takes_its_name_from_the_answer_file(tmp_path: Path) -> None:
    with deployed_windows(tmp_path) as tree, pytest.raises(OsError, match="os_unattend"):
        hostname.apply(tree, "pc-017", check=True)


def test_an_identity_of_its_own(tree: Tree) -> None:
    would = identity.apply(tree, check=True)
    assert would["changed"]
    assert sorted(would["diff"]["before"]) == [
        r"Microsoft\Windows\CurrentVersion\WindowsUpdate\SusClientId",
        "MountedDevices\\#{1}",
        "MountedDevices\\\\DosDevices\\C:",
    ]
    assert "generalized" in would["notes"][0]
    assert "domain" in would["notes"][1]
    assert identity.apply(tree, check=False)["changed"]
    assert not identity.apply(tree, check=False)["changed"]
    assert by_python_registry(file_of(tree))["MountedDevices"] == {}
    updates = by_python_registry(file_of(tree, "SOFTWARE"))[r"Microsoft\Windows\CurrentVersion\WindowsUpdate"]
    assert list(updates) == ["other"]


def test_an_acl_that_python_cannot_read(tree: Tree) -> None:
    fd = os.open(file_of(tree), os.O_RDONLY)
    try:
        assert acl.read(fd) == HIVE_ACL
    finally:
        os.close(fd)


def test_a_library_that_crashes_or_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OsError, match="crashed"):
        libhivex.apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    monkeypatch.setattr(libhivex, "_PATIENCE", 0.2)
    with pytest.raises(OsError, match="takes too long"):
        libhivex.apart(lambda: time.sleep(60))
    assert libhivex.apart(lambda: 7) == 7
