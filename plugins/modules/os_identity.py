#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_identity
short_description: Make a deployed operating system a computer of its own, before it boots
version_added: 0.1.0
description:
  - Takes away, or makes anew, what computers that were deployed from one image have in common, and must not have.
  - From a Linux go machine id, SSH host keys, random seed, DHCP leases, bindings to the network cards and disks of the
    reference computer, state of cloud-init, and its secrets as a member of a domain. A Linux with SELinux gets new
    labels at its next boot.
  - From a Windows go the drive letters of the reference computer's disks, and its name at the update server. What only
    Sysprep takes away is said in RV(notes).
  - Must come before M(golden.fleet.os_domain_join), because it takes away the secrets of a member of a domain.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - What is made anew is remembered on the machine until it is switched off or restarted, in
        C(/run/golden.fleet/made), and not made again until then.
options:
  keep:
    description:
      - What shall stay as it is in a Linux.
      - V(machine_id) is C(/etc/machine-id) and that of D-Bus. An empty one is filled in at the next boot.
      - V(ssh_host_keys) are made anew on the machine on which the module runs, of the kinds that there are.
        A cloud-init is told not to replace them.
      - V(storage_names) are the names by which iSCSI and NVMe know a computer, made anew if there are any.
      - V(random_seed) includes the secret of C(systemd-creds), and the seed of systemd's boot loader.
      - V(dhcp_leases) includes what else DHCP clients and NetworkManager know a computer by.
      - V(network_bindings) are addresses of cards in profiles of NetworkManager and C(ifcfg), and names of cards and
        drives that old versions of udev have noted. Netplan, C(.link) and C(.network) files are only looked at, for
        RV(notes).
      - V(lvm_devices) is the list of devices that LVM looks at; without one, it looks at all.
      - V(cloud_init) is what cloud-init has done already; its seeds stay.
      - V(domain) are keytab, caches and secrets of sssd and Samba.
    type: list
    elements: str
    choices:
      - machine_id
      - ssh_host_keys
      - storage_names
      - random_seed
      - dhcp_leases
      - network_bindings
      - lvm_devices
      - cloud_init
      - domain
    default: []
  logs:
    description: Take away the logs and the journal of the reference computer, too. Only for Linux.
    type: bool
    default: false
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: A computer of its own
  golden.fleet.os_identity:
  register: identity

- name: Know it by its new SSH host keys, from the first login on
  ansible.builtin.known_hosts:
    path: "{{ known_hosts_file }}"
    name: "{{ inventory_hostname }}"
    key: "{{ inventory_hostname }} {{ item }}"
  loop: "{{ identity.ssh_host_keys }}"
  delegate_to: localhost
"""

RETURN = r"""
family:
  description: Kind of the operating system, V(linux) or V(windows).
  returned: success
  type: str
  sample: linux
ssh_host_keys:
  description: Public SSH host keys of the deployed Linux, as C(known_hosts) has them; in check mode those before.
  returned: for Linux
  type: list
  elements: str
  sample: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz]
notes:
  description: What is still that of the reference computer, and must be taken away by somebody else.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/netplan/50-cloud-init.yaml of the deployed system names a network card by its address; another computer has
      another.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import identity as linux
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import identity as windows

_CHOICES = [part for part in linux.PARTS if part != linux.LOGS]
SPEC = ArgSpec(
    {
        "keep": {"type": "list", "elements": "str", "choices": _CHOICES, "default": []},
        "logs": {"type": "bool", "default": False},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    tree = open_tree(module.params["root"])
    if tree.family == WINDOWS:
        return {"family": tree.family, **windows.apply(tree, module.check_mode)}
    kept = {*module.params["keep"], *([] if module.params["logs"] else [linux.LOGS])}
    parts = [part for part in linux.PARTS if part not in kept]
    return {"family": tree.family, **linux.apply(tree, parts, module.check_mode)}


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
