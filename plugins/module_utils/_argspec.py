# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Argument specs as objects that merge. Each has a doc fragment of the same name."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule, env_fallback


@dataclass(frozen=True)
class ArgSpec:
    """Options of a module, and the conditions between them."""

    options: t.Mapping[str, dict[str, t.Any]] = field(default_factory=dict)
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[t.Any, ...], ...] = ()

    def merge(self, *others: ArgSpec) -> ArgSpec:
        """All options and conditions of these specs; a later one wins where two name the same option."""
        specs = (self, *others)
        return ArgSpec(
            options={name: option for spec in specs for name, option in spec.options.items()},
            mutually_exclusive=tuple(rule for spec in specs for rule in spec.mutually_exclusive),
            required_together=tuple(rule for spec in specs for rule in spec.required_together),
            required_one_of=tuple(rule for spec in specs for rule in spec.required_one_of),
            required_if=tuple(rule for spec in specs for rule in spec.required_if),
        )


def create_module(spec: ArgSpec, supports_check_mode: bool = True) -> AnsibleModule:
    """The AnsibleModule with these options; ends the module where the user's arguments do not fit."""
    return AnsibleModule(
        argument_spec=dict(spec.options),
        mutually_exclusive=list(spec.mutually_exclusive),
        required_together=list(spec.required_together),
        required_one_of=list(spec.required_one_of),
        required_if=list(spec.required_if),
        supports_check_mode=supports_check_mode,
    )


STORE_SPEC = ArgSpec(
    {
        "store": {"type": "str", "required": True, "fallback": (env_fallback, ["GOLDEN_STORE"])},
        "store_username": {"type": "str", "fallback": (env_fallback, ["GOLDEN_STORE_USERNAME"])},
        "store_password": {
            "type": "str",
            "no_log": True,
            "fallback": (env_fallback, ["GOLDEN_STORE_PASSWORD"]),
        },
        "store_ca": {"type": "path", "fallback": (env_fallback, ["GOLDEN_STORE_CA"])},
    },
    required_together=(("store_username", "store_password"),),
)

LONG_WORK_SPEC = ArgSpec(
    {
        "timeout": {"type": "str", "default": "8h"},
        "_job": {"type": "str"},
    }
)

DISK_SPEC = ArgSpec({"disk": {"type": "raw", "required": True}})

TREE_SPEC = ArgSpec({"root": {"type": "path", "default": "/run/golden.fleet/os"}})

OS_FILE_SPEC = ArgSpec(
    {
        "dest": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["file", "directory", "link", "absent"], "default": "file"},
        "src": {"type": "str"},
        "content": {"type": "str", "no_log": True},
        "template": {"type": "bool", "default": False},
        "remote_src": {"type": "bool", "default": False},
        "mode": {"type": "raw"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "acl": {"type": "str", "choices": ["private", "readable"]},
        "_secret": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("src", "content"),),
    required_if=(("state", "file", ("src", "content"), True), ("state", "link", ("src",))),
).merge(TREE_SPEC)

DOMAIN_SPEC = ArgSpec(
    {
        "domain": {"type": "str", "required": True},
        "domain_server": {"type": "str"},
        "domain_username": {"type": "str", "fallback": (env_fallback, ["GOLDEN_DOMAIN_USERNAME"])},
        "domain_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GOLDEN_DOMAIN_PASSWORD"])},
        "domain_password_file": {"type": "path", "no_log": False},
        "domain_keytab": {"type": "path"},
        "domain_ticket_cache": {"type": "str"},
    },
)

OS_DRIVERS_SPEC = ArgSpec(
    {
        "drivers": {"type": "dict", "required": True},
        "no_match": {"type": "str", "choices": ["skip", "fail"], "default": "skip"},
        "remote_src": {"type": "bool", "default": False},
        "_only_match": {"type": "bool", "default": False},
        "_bundle": {"type": "path"},
    }
).merge(TREE_SPEC)

POWER_SPEC = ArgSpec(
    {
        "power": {
            "type": "dict",
            "required": True,
            "options": {
                "provider": {
                    "type": "str",
                    "required": True,
                    "choices": ["redfish", "ipmi", "wol", "ssh", "winrm", "manual"],
                },
                "address": {"type": "str"},
                "port": {"type": "int"},
                "username": {"type": "str", "fallback": (env_fallback, ["GOLDEN_POWER_USERNAME"])},
                "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GOLDEN_POWER_PASSWORD"])},
                "password_file": {"type": "path"},
                "mac": {"type": "str"},
                "broadcast": {"type": "str", "default": "255.255.255.255"},
                "interface": {"type": "str"},
                "verify_tls": {"type": "bool", "default": True},
                "ca_file": {"type": "path"},
                "system": {"type": "str"},
                "uefi": {"type": "bool", "default": True},
                "cipher_suite": {"type": "int", "default": 17},
                "private_key_file": {"type": "path"},
                "ssh_args": {"type": "str"},
                "transport": {
                    "type": "str",
                    "choices": ["ntlm", "kerberos", "credssp", "basic"],
                    "default": "ntlm",
                },
                "network_entry": {"type": "str"},
                "timeout": {"type": "str", "default": "2m"},
                "run_from": {"type": "str", "choices": ["controller", "server"]},
            },
        },
    },
)

NETBOOT_SPEC = ArgSpec({"config": {"type": "path", "default": "/etc/golden.fleet/netboot.json"}})

WAIT_FOR_SYSTEM_SPEC = ArgSpec(
    {
        "timeout": {"type": "str", "default": "15m"},
        "digest": {"type": "str"},
        "deploy": {"type": "str"},
        "old_boot_id": {"type": "str"},
    }
)

PXE_REBOOT_SPEC = ArgSpec(
    {
        "mac": {"type": "str", "required": True},
        "host": {"type": "str"},
        "timeout": {"type": "str", "default": "15m"},
        "force": {"type": "bool", "default": False},
    }
).merge(POWER_SPEC, NETBOOT_SPEC)
