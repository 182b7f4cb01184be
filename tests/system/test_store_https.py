# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong with a store on an HTTPS server, with a real nginx."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    AlreadyInStore,
    NotInStore,
    StoreBroken,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
)
from ansible_collections.golden.fleet.plugins.module_utils._store import base, https
from ansible_collections.golden.fleet.plugins.module_utils._store._retry import Patience
from ansible_collections.golden.fleet.plugins.module_utils._store.https import HttpsStore
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.filesystem import mounted_ext4, read_only
from ansible_collections.golden.fleet.tests.support.nginx import Nginx, User
from ansible_collections.golden.fleet.tests.support.relay import Relay

_MIB = 1 << 20

_MORE_PLACES = """
    location /error/ { return 500; }
    location /page/ { return 200 "<html>Welcome</html>"; }
    location /page/range { return 206 "0123456789"; }
    location /noranges/ {
        alias %(data)s/golden/;
        max_ranges 0;
    }
    location /nodav/ { root %(data)s; }
    location /nomkcol/ {
        root %(data)s;
        dav_methods PUT DELETE MOVE;
        create_full_put_path on;
        autoindex on;
        autoindex_format json;
    }
    location /nofolders/ { root %(data)s; dav_methods PUT DELETE MKCOL MOVE; }
    location /small/ {
        root %(data)s;
        dav_methods PUT DELETE MKCOL MOVE;
        create_full_put_path on;
        client_max_body_size 1m;
    }
    location /elsewhere/ { return 302 https://127.0.0.1:%(other)d/golden/; }
    location /elsewhere/object { return 302 https://127.0.0.1:%(other)d/golden/object; }
    location /plain/ { return 302 http://localhost/golden/object; }
    location /circle/ { return 302 /circle/$request_id; }
"""


class Sleeps:
    """Instead of time.sleep: counts, and does not wait unless told."""

    def __init__(self, factor: float = 0.0) -> None:
        self._factor = factor
        self.count = 0

    def __call__(self, seconds: float) -> None:
        self.count += 1
        time.sleep(seconds * self._factor)


def _open(
    server: Nginx, path: str = "golden", *, user: User | None = None, patience: Patience | None = None
) -> HttpsStore:
    user = user or server.writer
    return HttpsStore(
        f"{server.server_url}/{path}",
        user.name,
        user.password,
        ca=str(server.ca),
        use_proxies=False,
        patience=patience or Patience(sleep=Sleeps()),
    )


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Nginx]:
    """Another server, to which the first one redirects."""
    with Nginx(tmp_path_factory.mktemp("other")) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, other: Nginx) -> t.Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    places = _MORE_PLACES % {"data": folder / "data", "other": other.port}
    with Nginx(folder, extra=places) as nginx:
        yield nginx


@pytest.fixture
def store(server: Nginx) -> t.Iterator[HttpsStore]:
    with _open(server) as opened:
        yield opened


# Getting in


def test_wrong_password(server: Nginx) -> None:
    with _open(server, user=User("writer", "CANARY")) as store:
        for ask in (lambda: store.read("a"), lambda: store.write("a", b"x"), store.list):
            with pytest.raises(StoreRefused, match=r"answers 401.*store_username") as caught:
                ask()
            assert "CANARY" not in repr(caught.value) + caught.value.message


def test_no_password(server: Nginx) -> None:
    location = StoreLocation(server.url, ca=str(server.ca))
    with open_store(location) as store, pytest.raises(StoreRefused, match="401"):
        store.list()


def test_no_credentials_are_taken_from_a_netrc(server: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine localhost login {server.writer.name} password {server.writer.password}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with HttpsStore(server.url, ca=str(server.ca)) as store, pytest.raises(StoreRefused, match="401"):
        store.list()


def test_a_reader_may_read_but_not_write(server: Nginx, store: HttpsStore) -> None:
    store.write("reading/object", b"x")
    with _open(server, user=server.reader) as reading:
        assert reading.read("reading/object") == b"x"
        assert [entry.name for entry in reading.list("reading")] == ["object"]
        for change in (reading.write, reading.create):
            with pytest.raises(StoreRefused, match="answers 401 to PUT"):
                change("reading/other", b"y")
        with pytest.raises(StoreRefused, match="answers 401 to DELETE"):
            reading.delete("reading/object")
    assert store.read("reading/object") == b"x"


def test_the_worker_may_not_write(tmp_path: Path) -> None:
    """As after "mkdir /srv/imaging/golden" without a chown: nginx runs as somebody else."""
    with _reachable_by_all(tmp_path), Nginx(tmp_path, worker="www-data") as server, _open(server) as store:
        assert store.list() == []
        (tmp_path / "data" / "uploads").chmod(0o777)
        with pytest.raises(StoreRefused, match="no right to that path"):
            store.write("a", b"x")


def test_unknown_ca(server: Nginx) -> None:
    sleeps = Sleeps()
    store = HttpsStore(server.url, use_proxies=False, patience=Patience(sleep=sleeps))
    with store, pytest.raises(StoreUnreachable, match=r"certificate .* is not accepted.*store_ca"):
        store.list()
    assert sleeps.count == 0


def test_unknown_ca_although_the_environment_names_it(
    server: Nginx, other: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """store_ca wins over REQUESTS_CA_BUNDLE, not the other way round."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca))
    with HttpsStore(server.url, ca=str(other.ca)) as store, pytest.raises(StoreUnreachable, match="is not accepted"):
        store.list()


def test_wrong_host_name(tmp_path: Path) -> None:
    with Nginx(tmp_path, names=["localhost"]) as server:
        store = HttpsStore(f"https://127.0.0.1:{server.port}/golden", ca=str(server.ca))
        with store, pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1.*host name it was made for"):
            store.list()


def test_no_proxy_for_loopback(server: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    location = StoreLocation(server.url, server.writer.name, server.writer.password, str(server.ca))
    with open_store(location) as store:
        store.list()
    elsewhere = HttpsStore(server.url, ca=str(server.ca), patience=Patience(sleep=Sleeps()))
    with elsewhere, pytest.raises(StoreUnreachable, match="refused"):
        elsewhere.list()


# Redirections


def test_a_redirection_is_followed_without_credentials(server: Nginx, other: Nginx) -> None:
    (other.store_folder / "object").write_bytes(b"x")
    # Another CA: whoever redirects to another server needs a file with both.
    with _open(server, "elsewhere") as store, pytest.raises(StoreUnreachable, match="is not accepted"):
        store.read("object")
    both = server.folder / "both.pem"
    both.write_text(server.ca.read_text() + other.ca.read_text())
    stranger = HttpsStore(f"{server.server_url}/elsewhere", other.writer.name, other.writer.password, ca=str(both))
    with stranger, pytest.raises(StoreRefused, match="answers 401"):
        stranger.read("object")
    assert other.requests(1)[-1].endswith(' - "GET /golden/object HTTP/1.1" 401')


def test_a_redirected_upload_is_not_followed(server: Nginx) -> None:
    """It would become a GET, and look as if it had worked."""
    with _open(server, "elsewhere") as store, pytest.raises(StoreBroken, match=r"302.*It redirects"):
        store.write("object", b"x")


def test_no_redirection_to_clear_text(server: Nginx) -> None:
    with _open(server, "plain") as store, pytest.raises(StoreRefused, match="not encrypted"):
        store.read("object")


def test_redirections_in_circles(server: Nginx) -> None:
    with _open(server, "circle") as store, pytest.raises(StoreBroken, match="in circles"):
        store.read("object")


# Servers that are set up in another way


@pytest.mark.parametrize(
    ("path", "key", "error", "hint"),
    [
        ("nodav", "a", StoreRefused, "405.*dav_methods"),
        ("nofolders", "a/b", StoreBroken, "500.*create_full_put_path"),
        ("small", "a", StoreRefused, "413.*client_max_body_size"),
        ("error", "a", StoreBroken, "500.*error log"),
        ("page", "a", StoreBroken, "200.*Is this the URL of a store"),
    ],
)
def test_uploads_that_are_not_taken(server: Nginx, path: str, key: str, error: type[StoreError], hint: str) -> None:
    with _open(server, path) as store, pytest.raises(error, match=hint) as caught:
        store.write(key, b"x" * (8 * _MIB))
    assert caught.value.facts["store"] == store.url


def test_folders_that_cannot_be_made(server: Nginx) -> None:
    with _open(server, "nomkcol") as store:
        with pytest.raises(StoreRefused, match=r"405.*MKCOL"):
            store.create("object", b"x")
        assert not list((server.data / "nomkcol").iterdir())


def test_no_listing(server: Nginx) -> None:
    (server.data / "nodav").mkdir()
    with _open(server, "nodav") as store, pytest.raises(StoreRefused, match=r"403.*autoindex"):
        store.list()
    with _open(server, "page") as store, pytest.raises(StoreBroken, match="no JSON listing"):
        store.list()


def test_no_ranges(server: Nginx, store: HttpsStore) -> None:
    store.write("ranges", b"0123456789")
    with _open(server, "noranges") as without:
        assert without.read("ranges") == b"0123456789"
        with pytest.raises(StoreBroken, match="does not serve byte ranges"):
            without.read("ranges", 2, 3)


def test_another_range(server: Nginx) -> None:
    with _open(server, "page") as store, pytest.raises(StoreBroken, match="range other than"):
        store.read("range", 0, 10)


def test_more_than_was_asked_for(server: Nginx) -> None:
    with _open(server, "page") as store, pytest.raises(StoreBroken, match="can have at most 5"):
        store.read("range", 0, 5)


def test_more_than_can_be_right(server: Nginx, store: HttpsStore) -> None:
    with (server.store_folder / "huge").open("wb") as file:
        file.truncate(base.MOST_AT_ONCE + 1)
    with pytest.raises(StoreBroken, match="at most"):
        store.read("huge")
    (server.store_folder / "huge").unlink()


def test_server_errors(server: Nginx) -> None:
    sleeps = Sleeps()
    with _open(server, "error", patience=Patience(5, sleep=sleeps)) as store:
        with pytest.raises(StoreBroken, match="answers 500 to GET") as caught:
            store.read("a")
        assert caught.value.facts["status"] == 500
        for ask in (store.size, store.age, store.delete):
            with pytest.raises(StoreBroken, match="answers 500"):
                ask("a")
    assert sleeps.count > 10


# The disk of the server


@pytest.fixture
def small(tmp_path: Path) -> t.Iterator[Nginx]:
    """A server with a small filesystem of its own."""
    with mounted_ext4(tmp_path, 24 * _MIB) as mountpoint, Nginx(tmp_path / "nginx", data=mountpoint) as server:
        yield server


def test_full(small: Nginx) -> None:
    sleeps = Sleeps()
    with _open(small, patience=Patience(sleep=sleeps)) as store:
        store.write("packs/fits", b"x" * _MIB)
        with pytest.raises(StoreFull, match=r"no room for packs/object.*image_prune"):
            store.write("packs/object", b"x" * (40 * _MIB))
        assert [entry.name for entry in store._children("packs")] == ["fits"]
        for name in ("filler", "rest", "last"):  # what the filesystem reserves is free again once it wrote back
            _fill_with(small.data / name)
        with pytest.raises(StoreFull, match="no room"):
            _fill_up(store)
    assert sleeps.count == 0, "a full disk must not cost patience"


def _fill_with(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        os.fsync(filler.fileno())


def _fill_up(store: HttpsStore) -> None:
    for number in range(200):
        store.write(f"packs/new{number}/object", b"x" * 4096)


def test_read_only(small: Nginx) -> None:
    with _open(small) as store:
        store.write("images/a", b"x")
        with read_only(small.data):
            for change in (store.write, store.create):
                with pytest.raises(StoreBroken, match=r"answers 500.*read-only"):
                    change("images/b", b"y")
            assert store.read("images/a") == b"x"


def test_an_object_that_was_cut_off(server: Nginx, store: HttpsStore) -> None:
    store.write("cut", os.urandom(100_000))
    assert store.size("cut") == 100_000
    os.truncate(server.store_folder / "cut", 60_000)
    for start, length in ((0, 100_000), (50_000, 50_000), (70_000, 10)):
        with pytest.raises(StoreBroken, match="ends after 60000 bytes"):
            store.read("cut", start, length)


# The network


def test_nobody_there(server: Nginx) -> None:
    sleeps = Sleeps()
    url = "https://localhost:1/golden"
    store = HttpsStore(url, ca=str(server.ca), use_proxies=False, patience=Patience(sleep=sleeps))
    with store, pytest.raises(StoreUnreachable, match="cannot be reached: Connection refused"):
        store.list()
    assert sleeps.count == 3, "a server that never answered is given up early"


def test_no_such_host() -> None:
    store = HttpsStore("https://imaging.invalid/golden", use_proxies=False, patience=Patience(sleep=Sleeps()))
    with store, pytest.raises(StoreUnreachable, match=r"imaging\.invalid/golden cannot be reached"):
        store.list()


def test_no_tls(server: Nginx) -> None:
    """The port speaks TLS, the URL says http: nginx answers 400."""
    url = f"http://localhost:{server.port}/golden"
    with open_store(StoreLocation(url)) as store, pytest.raises(StoreBroken, match="answers 400"):
        store.list()


def test_stopped_and_started_again(tmp_path: Path) -> None:
    sleeps = Sleeps(0.2)
    with Nginx(tmp_path) as server, _open(server, patience=Patience(sleep=sleeps)) as store:
        store.write("object", b"x" * 1000)
        server.stop()
        returning = threading.Timer(0.5, server.start)
        returning.start()
        try:
            assert store.read("object") == b"x" * 1000
        finally:
            returning.join()
        store.write("other", b"y")
    assert sleeps.count > 0


def test_killed_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    data = os.urandom(64 * _MIB)
    sleeps = Sleeps(0.2)
    written = threading.Event()
    with Nginx(tmp_path) as server, _open(server, patience=Patience(sleep=sleeps)) as store:
        store.list()

        def restart() -> None:
            while not written.is_set() and not any((server.data / "uploads").iterdir()):
                time.sleep(0.001)
            server.kill()
            time.sleep(0.3)
            server.start()

        restarting = threading.Thread(target=restart)
        restarting.start()
        try:
            store.write("object", data)
        finally:
            written.set()
            restarting.join()
        assert store.read("object") == data
    assert sleeps.count > 0, "the upload was not interrupted"


@contextlib.contextmanager
def _through_relay(server: Nginx, cut_after: int, cuts: int) -> t.Iterator[HttpsStore]:
    with Relay(server.port, cut_after, cuts) as relay:
        url = f"https://localhost:{relay.port}/golden"
        user, patience = server.writer, Patience(sleep=Sleeps())
        with HttpsStore(
            url, user.name, user.password, ca=str(server.ca), use_proxies=False, patience=patience
        ) as store:
            yield store


def test_a_connection_that_breaks_in_the_middle(server: Nginx, store: HttpsStore) -> None:
    data = os.urandom(3 * _MIB)
    store.write("relayed", data)
    with _through_relay(server, 500_000, cuts=2) as relayed:
        assert relayed.read("relayed") == data
    with _through_relay(server, 500_000, cuts=2) as relayed:
        assert relayed.read("relayed", 1000, 2 * _MIB) == data[1000 : 1000 + 2 * _MIB]


def test_connections_that_always_break(server: Nginx, store: HttpsStore) -> None:
    store.write("relayed", os.urandom(3 * _MIB))
    with _through_relay(server, 500_000, cuts=10**9) as relayed:
        with pytest.raises(StoreBroken, match=r"does not answer GET .*relayed completely"):
            relayed.read("relayed")
        with pytest.raises(StoreBroken, match="completely"):
            relayed.read("relayed", 0, 2 * _MIB)


def test_connections_are_kept_alive(tmp_path: Path) -> None:
    with Nginx(tmp_path) as server, _open(server) as store:
        store.write("object", os.urandom(100_000))
        for start in range(50):
            store.read("object", start, 1000)
            with pytest.raises(NotInStore):
                store.read(f"none{start}")
        requests = server.requests(101)
        assert len(requests) == 101
        assert len({line.split()[0] for line in requests}) == 1


# Creating


def test_a_claim_of_a_dead_process_is_broken(server: Nginx, store: HttpsStore) -> None:
    with contextlib.suppress(AlreadyInStore):
        store.create("claimed/first", b"x")
    claim = _claim_folder(server, store, "claimed/object")
    claim.mkdir()
    os.utime(claim, (time.time() - 2 * https._CLAIM_LASTS,) * 2)
    store.create("claimed/object", b"x")
    assert store.read("claimed/object") == b"x"
    assert not claim.exists()


def test_a_claim_of_a_living_process_is_respected(
    server: Nginx, store: HttpsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "_CLAIM_TRIES", 10)
    store.create("claimed/second", b"x")
    claim = _claim_folder(server, store, "claimed/busy")
    claim.mkdir()
    with pytest.raises(StoreRefused, match="being created by somebody else"):
        store.create("claimed/busy", b"x")
    assert claim.exists()
    with pytest.raises(NotInStore):
        store.read("claimed/busy")
    claim.rmdir()
    assert not [name for name in os.listdir(claim.parent) if name.startswith(base.TEMPORARY)]


def _claim_folder(server: Nginx, store: HttpsStore, key: str) -> Path:
    """Where create() makes its claim: seen by watching it."""
    with store._claim(key):
        [claim] = [
            path for path in (server.store_folder / key).parent.iterdir() if path.name.startswith(base.TEMPORARY)
        ]
    return claim


def test_a_rename_whose_answer_is_lost_has_worked(store: HttpsStore) -> None:
    """The try after that finds the object there, put there by itself."""
    temporary = base.temporary_key("renamed")
    store._write(temporary, [memoryview(b"mine")])
    store._move_if_free(temporary, "renamed")
    store._move_if_free(temporary, "renamed")
    assert store.read("renamed") == b"mine"


def test_sweep(server: Nginx, store: HttpsStore) -> None:
    store.write("swept/deep/object", b"x")
    folder = server.store_folder / "swept" / "deep"
    old, claim, young = (folder / f"{base.TEMPORARY}{name}" for name in ("old", "claim", "young"))
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    claim.mkdir()
    for path in (old, claim, folder / "object"):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert store.sweep() == 2
    assert sorted(os.listdir(folder)) == ["object", young.name]


def test_age_is_by_the_clock_of_the_server(server: Nginx, store: HttpsStore) -> None:
    store.write("aged", b"x")
    os.utime(server.store_folder / "aged", (time.time() - 3600,) * 2)
    assert 3590 < store.age("aged") < 3630


@contextlib.contextmanager
def _reachable_by_all(folder: Path) -> t.Iterator[None]:
    """pytest's folders are for their owner only; a worker of another user has to get through."""
    closed = [parent for parent in (folder, *folder.parents) if not parent.stat().st_mode & 0o001]
    modes = [parent.stat().st_mode for parent in closed]
    for parent, mode in zip(closed, modes):
        parent.chmod(mode | 0o011)
    try:
        yield
    finally:
        for parent, mode in zip(closed, modes):
            parent.chmod(mode)
