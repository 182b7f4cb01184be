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
          - V(manual) is a person, and does nothing here.
        type: str
        required: true
        choices: [redfish, ipmi, wol, ssh, winrm, manual]
      address:
        description:
          - Name or address of the management controller, or for V(ssh) and V(winrm) of the machine.
          - For V(redfish) and V(winrm) a URL such as V(http://10.0.0.7:5985) may stand here. By default it is HTTPS.
          - Needed for all but V(wol) and V(manual).
        type: str
      port:
        description:
          - Port there. By default 443 (V(redfish)), 623 (V(ipmi)), 9 (V(wol)), 5986 for HTTPS and 5985 for HTTP
            (V(winrm)), and whatever OpenSSH is set up to use (V(ssh)).
        type: int
      username:
        description:
          - User there. Needed for V(redfish), V(ipmi) and V(winrm). For V(ssh) whatever OpenSSH is set up to use; one
            that is not V(root) needs C(sudo) without a password.
          - If not set, the environment variable E(GOLDEN_POWER_USERNAME) is used.
        type: str
      password:
        description:
          - Password there. V(ssh) takes keys only.
          - If not set, the environment variable E(GOLDEN_POWER_PASSWORD) is used.
        type: str
      password_file:
        description: A file that holds the password, where the module runs. It counts before O(power.password).
        type: path
      mac:
        description:
          - MAC address of the network card that the machine boots from. Needed for V(wol). V(ssh) chooses the boot
            entry of this card. M(golden.fleet.pxe_reboot) fills it in.
        type: str
      broadcast:
        description: Where V(wol) sends its packet, such as V(10.77.0.255).
        type: str
        default: 255.255.255.255
      interface:
        description: Network interface from which V(wol) sends its packet. By default the one of the default route.
        type: str
      verify_tls:
        description: Whether the certificate of V(redfish) or V(winrm) is checked.
        type: bool
        default: true
      ca_file:
        description: A PEM file with the CA certificates that it is checked against, where the module runs.
        type: path
      system:
        description: Id of the system, where a V(redfish) service has several.
        type: str
      uefi:
        description: With V(ipmi), whether the machine boots with UEFI.
        type: bool
        default: true
      cipher_suite:
        description: Of V(ipmi). Old controllers need V(3).
        type: int
        default: 17
      private_key_file:
        description: SSH key for V(ssh), where the module runs. By default those that OpenSSH finds.
        type: path
      ssh_args:
        description: More arguments for V(ssh), such as V(-J gateway). What OpenSSH is set up to use counts anyway.
        type: str
      transport:
        description:
          - How V(winrm) proves who it is. V(kerberos) and V(credssp) need the extras of pywinrm of the same name.
          - V(basic) sends the password itself; HTTPS only.
        type: str
        choices: [ntlm, kerberos, credssp, basic]
        default: ntlm
      network_entry:
        description:
          - With V(ssh) and V(winrm), part of the name that the firmware gives to network boot, such as V(PXE IPv4).
          - By default the first of its entries that boots from the network, IPv4 before IPv6 and HTTP.
        type: str
      timeout:
        description: How long it may take until what was asked for is seen, such as an operating system's end.
        type: str
        default: 2m
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
