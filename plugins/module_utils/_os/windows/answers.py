# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The answer file of Windows Setup, from what it shall answer. Pure.

Passwords of local accounts are written as Microsoft's own tool hides them, which hides them from nobody who tries.
"""

from __future__ import annotations

import base64
import re
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from ..._errors import UsageError
from ..hostnames import check_computer_name
from ..ntfs_names import folded
from . import languages

OURS = b"<!-- golden.fleet -->"
_NAMESPACES = {
    "xmlns": "urn:schemas-microsoft-com:unattend",
    "xmlns:wcm": "http://schemas.microsoft.com/WMIConfig/2002/State",
}
_COMPONENT = {
    "publicKeyToken": "31bf3856ad364e35",
    "language": "neutral",
    "versionScope": "nonSxS",
}
_SHELL = "Microsoft-Windows-Shell-Setup"
_INTERNATIONAL = "Microsoft-Windows-International-Core"
_JOIN = "Microsoft-Windows-UnattendedJoin"
_NOT_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_KEY = re.compile(r"[A-Z0-9]{5}(-[A-Z0-9]{5}){4}")
_BLOB = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_ACCOUNT = re.compile(r'[^"/\\\[\]:;|=,+*?<>@]{1,20}')
_GROUP = re.compile(r'[^"/\\\[\]:;|=,+*?<>]{1,256}')
_ADMINISTRATORS, _USERS = "Administrators", "Users"
_MOST_COMMANDS, _LONGEST_COMMAND = 500, 1024
_SECRET = re.compile(rb"(<(Value|AccountData|Password|ProductKey|CommandLine)>)[^<]+(?=</)")

# By name what becomes elements: text, a number, elements again, or a list of such for several of one name.
Elements = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


@dataclass(frozen=True)
class User:
    """A local account. Without a password, anybody can log on at the machine itself."""

    name: str
    password: str | None = None
    groups: tuple[str, ...] = ()
    admin: bool = False
    full_name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Join:
    """A domain: by the blob of an offline join, or by somebody's name and password."""

    blob: str | None = None
    name: str | None = None
    ou: str | None = None
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class Oobe:
    """What Windows asks whoever sits before it first; each is left out, unless told."""

    hide_license: bool = True
    hide_network: bool = True
    hide_online_account: bool = True
    send_diagnostics: bool = False


@dataclass(frozen=True)
class Answers:
    """What Setup is told. What is None, or empty, it decides, or asks.

    :ivar timezone: as Windows calls it.
    """

    computer_name: str | None = None
    timezone: str | None = None
    locale: str | None = None
    language: str | None = None
    keyboard: str | None = None
    product_key: str | None = None
    owner: str | None = None
    organization: str | None = None
    administrator_password: str | None = None
    users: tuple[User, ...] = ()
    join: Join | None = None
    oobe: Oobe = Oobe()
    first_logon_commands: tuple[str, ...] = ()


def answer_file(answers: Answers, architecture: str) -> bytes:
    """:raises UsageError: Windows would not take such an answer."""
    _check(answers)
    passes = {"specialize": _specialize(answers), "oobeSystem": _oobe_system(answers)}
    root = ET.Element("unattend", _NAMESPACES)
    for name, components in passes.items():
        settings = ET.Element("settings", {"pass": name})
        for component, content in components.items():
            attributes = {"name": component, "processorArchitecture": architecture, **_COMPONENT}
            _add(settings, "component", content, attributes)
        if len(settings):
            root.append(settings)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + OURS + b"\n" + ET.tostring(root, "utf-8") + b"\n"


def shown(content: bytes) -> str:
    """An answer file for people: without secrets; of one that is not ours, nobody knows where they are."""
    if OURS not in content[:100]:
        return f"not of golden.fleet, {len(content)} bytes\n"
    return _SECRET.sub(rb"\1********", content).decode("utf-8", "replace")


def _check(answers: Answers) -> None:
    if answers.computer_name is not None:
        check_computer_name(answers.computer_name)
    if answers.product_key is not None and not _KEY.fullmatch(answers.product_key):
        raise UsageError(
            "The product key is not five times five capital letters and digits, with hyphens between them."
        )
    if answers.join and answers.join.blob is not None and not _BLOB.fullmatch(answers.join.blob):
        raise UsageError("The blob of the offline join is not Base64 in one line.")
    commands = answers.first_logon_commands
    if len(commands) > _MOST_COMMANDS or any(len(each) > _LONGEST_COMMAND for each in commands):
        raise UsageError(
            f"Windows takes {_MOST_COMMANDS} commands for the first logon, of {_LONGEST_COMMAND} characters each."
        )
    names = [folded(user.name) for user in answers.users]
    for user in answers.users:
        _check_user(user)
        if names.count(folded(user.name)) > 1:
            raise UsageError(f"There are two users {user.name}.")


def _check_user(user: User) -> None:
    if not _ACCOUNT.fullmatch(user.name) or not user.name.strip(" .") or user.name.endswith("."):
        raise UsageError(
            f"{user.name!r} cannot be the name of a user of a Windows: it has 20 characters at most, none of "
            '"/\\[]:;|=,+*?<>@ among them, and no dot at its end.'
        )
    for group in user.groups:
        if not _GROUP.fullmatch(group):
            raise UsageError(f"{group!r} cannot be the name of a group of a Windows.")


def _specialize(answers: Answers) -> dict[str, Elements]:
    shell = {
        "ComputerName": answers.computer_name,
        "ProductKey": answers.product_key,
        "RegisteredOrganization": answers.organization,
        "RegisteredOwner": answers.owner,
        "TimeZone": answers.timezone,
    }
    components: dict[str, Elements] = {_SHELL: shell}
    if answers.join:
        components[_JOIN] = {"Identification": _identification(answers.join)}
    return components


def _identification(join: Join) -> Elements:
    if join.blob is not None:
        return {"Provisioning": {"AccountData": join.blob}}
    return {
        "Credentials": {"Domain": join.name, "Username": join.username, "Password": join.password},
        "JoinDomain": join.name,
        "MachineObjectOU": join.ou,
    }


def _oobe_system(answers: Answers) -> dict[str, Elements]:
    locale = languages.locale(answers.locale)
    international = {
        "InputLocale": languages.keyboard(answers.keyboard) or locale,
        "SystemLocale": locale,
        "UILanguage": languages.locale(answers.language) or locale,
        "UserLocale": locale,
    }
    shell = {
        "AutoLogon": {"Enabled": False},
        "FirstLogonCommands": {
            "SynchronousCommand": [
                {"CommandLine": command, "Order": number}
                for number, command in enumerate(answers.first_logon_commands, 1)
            ]
        },
        "OOBE": {
            "HideEULAPage": answers.oobe.hide_license,
            "HideOEMRegistrationScreen": True,
            "HideOnlineAccountScreens": answers.oobe.hide_online_account,
            "HideWirelessSetupInOOBE": answers.oobe.hide_network,
            "ProtectYourPC": 1 if answers.oobe.send_diagnostics else 3,
        },
        "UserAccounts": {
            "AdministratorPassword": _password("AdministratorPassword", answers.administrator_password),
            "LocalAccounts": {"LocalAccount": [_account(user) for user in answers.users]},
        },
    }
    return {_INTERNATIONAL: international, _SHELL: shell}


def _account(user: User) -> Elements:
    groups = dict.fromkeys([*([_ADMINISTRATORS] if user.admin else []), *user.groups])
    return {
        "Description": user.description,
        "DisplayName": user.full_name,
        "Group": ";".join(groups) or _USERS,
        "Name": user.name,
        "Password": _password("Password", user.password),
    }


def _password(element: str, password: str | None) -> Elements | None:
    if password is None:
        return None
    _refuse(element, password)
    hidden = base64.b64encode(f"{password}{element}".encode("utf-16-le")).decode("ascii")
    return {"PlainText": False, "Value": hidden}


def _fill(parent: ET.Element, content: Elements) -> None:
    for name, value in content.items():
        _add(parent, name, value)


def _add(parent: ET.Element, name: str, value: t.Any, attributes: t.Mapping[str, str] | None = None) -> None:
    """An element; none where there is nothing in it."""
    if isinstance(value, list):
        for each in value:
            _fill(ET.SubElement(parent, name, {"wcm:action": "add"}), each)
    elif isinstance(value, dict):
        element = ET.Element(name, dict(attributes or {}))
        _fill(element, value)
        if len(element):
            parent.append(element)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        _refuse(name, text)
        ET.SubElement(parent, name).text = text


def _refuse(name: str, text: str) -> None:
    if _NOT_IN_XML.search(text):
        raise UsageError(f"{name} of the answer file is no single line of plain text.")
