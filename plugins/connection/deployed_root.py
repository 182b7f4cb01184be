# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: deployed_root
short_description: Run tasks inside a deployed Linux before it boots
version_added: 0.1.0
description:
  - Connects to the boot environment over SSH, as P(ansible.builtin.ssh#connection) does, and runs everything in the
    deployed Linux that is mounted there, with its own programs. So any module or role prepares the new system.
  - M(golden.fleet.os_mount) must have mounted it, with its option C(exec).
  - Services can be enabled and disabled there. None is started, neither by tasks nor by packages that are installed.
  - Names are resolved as the boot environment does.
  - What runs there are programs of the image, as root of the boot environment. Only use it with images that you trust.
author:
  - golden.fleet contributors (@golden-fleet)
extends_documentation_fragment:
  - golden.fleet.ssh
  - connection_pipelining
options:
  root:
    description: Where the deployed Linux is mounted in the boot environment.
    type: str
    default: /run/golden.fleet/os
    vars:
      - name: ansible_deployed_root
seealso:
  - module: golden.fleet.os_mount
notes:
  - The user of the connection must be root.
  - Files are always sent as with C(piped) as O(ssh_transfer_method), because links of the image must not lead them into
    the boot environment.
"""

import shlex
from pathlib import Path

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection.ssh import Connection as SshConnection

from ..module_utils._os.linux.chroot import HINT, NOT_READY, command


class Connection(SshConnection):
    """Each command is run in the tree; files go through commands."""

    transport = "golden.fleet.deployed_root"

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        there = command(self.get_option("root"), ["/bin/sh", "-c", cmd])
        answer: tuple[int, bytes, bytes] = super().exec_command(shlex.join(there), in_data, sudoable)
        if answer[0] == NOT_READY and HINT.encode() in answer[1] + answer[2]:
            # Not a connection that was lost: nobody may take it for one and go on.
            # On a terminal, both come as one, and ssh has the last word.
            said = (answer[1].strip() or answer[2].strip()).decode("utf-8", "replace")
            raise AnsibleError(f"{self.get_option('host')}: {said}")
        return answer

    def put_file(self, in_path: str, out_path: str) -> None:
        try:
            content = Path(in_path).read_bytes()
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"There is no file {in_path}.") from error
        # Without data, it would wait for some.
        self._transfer(f"cat >{shlex.quote(out_path)}{'' if content else ' </dev/null'}", content or None)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        Path(out_path).write_bytes(self._transfer(f"cat {shlex.quote(in_path)}", None))

    def _transfer(self, cmd: str, content: bytes | None) -> bytes:
        code, out, err = self.exec_command(cmd, content, sudoable=False)
        if code:
            said = err.decode("utf-8", "replace").strip()
            raise AnsibleError(f"A file cannot be transferred to or from {self.get_option('host')}: {said}")
        return out
