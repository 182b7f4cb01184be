# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Where the role imaging_server has put what network boot needs on this machine."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .. import _fields
from .._errors import NetbootError

DEFAULT_PATH = "/etc/golden.fleet/netboot.json"


@dataclass(frozen=True)
class NetbootConfig:
    """Paths on the imaging server, and URLs as machines on the deployment network see them."""

    state: Path  # of NetbootFolder
    http_root: Path  # what http_url shows
    http_url: str
    checkin_url: str
    cmdline: str  # kernel parameters beside those that the boot environment brings along
    dhcp_log: Path  # of dnsmasq, which is the TFTP server, too
    http_log: Path  # of nginx, a JSON object in a line
    records: Path  # of deploys and captures

    def boot_env(self) -> str:
        """The digest of the boot environment that machines get from now on.

        :raises NetbootError: there is none.
        """
        current = self.http_root / "boot-env" / "current"
        try:
            target = os.readlink(current)
        except OSError as error:
            raise NetbootError(
                f"There is no boot environment at {current}. Run the playbook golden.fleet.server: it builds one."
            ) from error
        return Path(target).name

    def parameters(self, digest: str) -> str:
        """All kernel parameters of a boot environment that are the same for every machine."""
        own = self.http_root / "boot-env" / digest / "cmdline"
        try:
            return f"{own.read_text(encoding='utf-8').strip()} {self.cmdline}".strip()
        except FileNotFoundError:
            return self.cmdline


def read_config(path: str = DEFAULT_PATH) -> NetbootConfig:
    """:raises NetbootError: there is no such file, or it is not what the role wrote."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return _config_of(found)
    except OSError as error:
        raise NetbootError(
            f"{path} cannot be read: {error.strerror}. Is this the imaging server? The playbook golden.fleet.server "
            "makes one of a machine; delegate this task to it."
        ) from error
    except ValueError as error:
        raise NetbootError(f"{path} is damaged: {error}. Run the playbook golden.fleet.server again.") from error


def _config_of(found: dict[str, t.Any]) -> NetbootConfig:
    return NetbootConfig(
        state=_path(found, "state"),
        http_root=_path(found, "http_root"),
        http_url=_fields.text(found, "http_url"),
        checkin_url=_fields.text(found, "checkin_url"),
        cmdline=_fields.text(found, "cmdline"),
        dhcp_log=_path(found, "dhcp_log"),
        http_log=_path(found, "http_log"),
        records=_path(found, "records"),
    )


def _path(found: dict[str, t.Any], key: str) -> Path:
    return Path(_fields.text(found, key))
