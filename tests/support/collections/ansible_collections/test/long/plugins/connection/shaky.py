# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Like local, but the network can be cut, which is noticed, or swallow everything, which is not."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = r"""
name: shaky
short_description: A local connection that can be cut
description: For tests.
author: golden.fleet contributors
options:
  cut:
    description: The connection is broken while this file exists.
    type: path
    required: true
    vars:
      - name: cut
  swallow:
    description: Commands get no answer while this file exists.
    type: path
    required: true
    vars:
      - name: swallow
"""


class Connection(Local):
    """Breaks as a real one does, with the error that core's connections raise."""

    transport = "test.long.shaky"

    def exec_command(self, cmd: str, in_data: t.Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self._fail_when_cut()
        if Path(self.get_option("swallow")).exists():
            cmd = "sleep 30"
        answer: tuple[int, bytes, bytes] = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return answer

    def put_file(self, in_path: str, out_path: str) -> None:
        self._fail_when_cut()
        super().put_file(in_path, out_path)

    def _fail_when_cut(self) -> None:
        if Path(self.get_option("cut")).exists():
            raise AnsibleConnectionFailure("Failed to connect to the host: the cable is cut.")
