# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec DOMAIN_SPEC means."""

    DOCUMENTATION = r"""
options:
  domain:
    description: DNS name of the Active Directory domain, such as V(lab.example).
    type: str
    required: true
  domain_server:
    description:
      - DNS name of the domain controller to ask. By default one that DNS names for O(domain).
      - Not its address, because Kerberos knows servers by name.
    type: str
  domain_username:
    description:
      - Who asks. No administrator is needed; C(docs/domain.md) says how to give somebody the rights.
      - If not set, the environment variable E(GOLDEN_DOMAIN_USERNAME) of the controller is used.
    type: str
  domain_password:
    description:
      - The password.
      - If not set, the environment variable E(GOLDEN_DOMAIN_PASSWORD) of the controller is used.
    type: str
  domain_password_file:
    description: A file that holds the password, where the module runs. It counts before O(domain_password).
    type: path
  domain_keytab:
    description: A keytab with the key of O(domain_username), where the module runs. It counts before a password.
    type: path
  domain_ticket_cache:
    description:
      - A Kerberos ticket cache with a ticket for O(domain), where the module runs, such as V(FILE:/run/golden/tickets).
      - It counts before everything else, and is left as it is.
    type: str
requirements:
  - adcli
  - kinit (Debian package krb5-user)
  - ldapsearch and ldapmodify (Debian package ldap-utils), with GSSAPI (libsasl2-modules-gssapi-mit)
notes:
  - The clock must agree with that of the domain within five minutes, or Kerberos refuses.
"""
