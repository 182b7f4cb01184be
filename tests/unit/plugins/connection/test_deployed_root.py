# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.connection import ssh
from ansible_collections.golden.fleet.plugins.connection.deployed_root import Connection
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.chroot import HINT, NOT_READY


@pytest.mark.parametrize("stream", [1, 2])
def test_a_tree_that_is_not_ready_is_no_lost_connection(monkeypatch: pytest.MonkeyPatch, stream: int) -> None:
    said = [NOT_READY, b"", b""]
    monkeypatch.setattr(ssh.Connection, "exec_command", lambda *_all: tuple(said))
    monkeypatch.setattr(Connection, "get_option", lambda _self, name: f"/{name}")
    connection = Connection.__new__(Connection)
    assert connection.exec_command("exit 250") == (NOT_READY, b"", b""), "it is what the command says"
    said[stream] = f"Nothing can be run. {HINT}".encode()
    with pytest.raises(AnsibleError, match="/host: Nothing can be run"):
        connection.exec_command("true")
