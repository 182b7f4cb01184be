# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec STORE_SPEC means."""

    DOCUMENTATION = r"""
options:
  store:
    description:
      - Where the images are, an absolute path, C(file:///...) or C(https://...).
      - A directory is one of the machine on which the module runs. It is made by the first capture.
      - C(http://) is refused, except for C(localhost) and loopback addresses.
      - Credentials in the URL are refused, because URLs end up in logs; use O(store_username) and
        O(store_password).
      - If not set, the environment variable E(GOLDEN_STORE) is used; the one of the controller (where AWX puts
        what its credentials inject), or else the one of the machine on which the module runs. The same holds for
        the other options here.
    type: str
    required: true
  store_username:
    description:
      - User name for a store on an HTTPS server.
      - If not set, the environment variable E(GOLDEN_STORE_USERNAME) is used.
    type: str
  store_password:
    description:
      - Password for a store on an HTTPS server. Needed if, and only if, O(store_username) is set.
      - If not set, the environment variable E(GOLDEN_STORE_PASSWORD) is used.
    type: str
  store_ca:
    description:
      - Path of a PEM file, on the machine where the module runs, with the CA certificates that the HTTPS
        server's certificate is checked against. By default those that Python's requests library trusts.
      - A certificate is always checked. For a self-signed one, give the certificate itself.
      - If not set, the environment variable E(GOLDEN_STORE_CA) is used.
    type: path
"""
