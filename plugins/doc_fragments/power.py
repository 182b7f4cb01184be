# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec POWER_SPEC means."""

    DOCUMENTATION = r"""
options:
  power:
    description: How the machine is switched; in inventories usually the variable C(golden_power).
    type: dict
    required: true
    suboptions:
      provider:
        description:
          - What switches the machine.
          - V(redfish) and V(ipmi) are its management controller.
          - V(wol) is Wake-on-LAN, which can only switch on.
          - V(ssh) and V(winrm) are the running Linux or Windows itself, which can only restart.
          - V(manual) is somebody who walks there, and does nothing here.
        type: str
        required: true
        choices: [redfish, ipmi, wol, ssh, winrm, manual]
      address:
        description:
          - Name or address of the management controller, or for V(ssh) and V(winrm) of the machine.
          - For V(redfish) a URL may stand here.
        type: str
      port:
        description: Port there. By default 443, 623 (V(ipmi)), 9 (V(wol)), 22 (V(ssh)), 5986 (V(winrm)).
        type: int
      username:
        description: User there; V(root) by default for V(ssh). Another one needs V(sudo) without a password.
        type: str
      password:
        description:
          - Password there. V(ssh) takes keys only.
          - If not set, the environment variable E(GOLDEN_POWER_PASSWORD) is used.
        type: str
      password_file:
        description: A file that holds the password, on the machine where this runs.
        type: path
      mac:
        description: MAC address of the network card; needed for V(wol). For V(ssh) it chooses among several.
        type: str
      broadcast:
        description: Where V(wol) sends its packet, such as V(10.77.0.255). By default to the local network.
        type: str
      verify_tls:
        description: Whether the certificate of V(redfish) or V(winrm) is checked.
        type: bool
        default: true
      ca_file:
        description: A PEM file with the CA certificates that it is checked against.
        type: path
      system:
        description: Id, name or UUID of the system, where a V(redfish) service has several.
        type: str
      uefi:
        description: With V(ipmi), whether the machine boots with UEFI.
        type: bool
        default: false
      cipher_suite:
        description: Of V(ipmi). Old management controllers need V(3).
        type: int
        default: 17
      private_key_file:
        description: SSH key for V(ssh). By default those that ssh finds.
        type: path
      timeout:
        description: How long it may take until what was ordered is seen.
        type: str
        default: 1m
      run_from:
        description:
          - From where M(golden.fleet.pxe_reboot) and the roles do this, the controller or the imaging server.
          - By default from the server for V(wol), and from the controller otherwise.
        type: str
        choices: [controller, server]
requirements:
  - sushy (Python library) for V(redfish)
  - pywinrm (Python library) for V(winrm)
  - netaddr (Python library) for O(power.mac)
  - ipmitool for V(ipmi)
  - OpenSSH for V(ssh)
"""
