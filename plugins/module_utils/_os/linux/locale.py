# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Time zone, language and keyboard of a deployed Linux."""

from __future__ import annotations

import re
import stat
import typing as t

from ..._errors import OsError, UsageError
from ..beneath import Root
from ..tree import Tree
from . import locales
from .assignments import assigned, value_in
from .keyboards import Keyboard, console_keymap, desktop_keyboards, is_known
from .kind import is_debian
from .selinux import order_relabel

_ZONES = "/usr/share/zoneinfo"
_LOCALTIME, _TIMEZONE = "/etc/localtime", "/etc/timezone"
_ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*){0,3}")
_LOCALE_FILES = ("/etc/locale.conf", "/etc/default/locale")
_KEYBOARD, _CONSOLE, _DESKTOP = "/etc/default/keyboard", "/etc/vconsole.conf", "/etc/X11/xorg.conf.d/00-keyboard.conf"
_SETUPCON = ("/usr/bin/setupcon", "/bin/setupcon")
_CACHE = "/etc/console-setup"  # what setupcon has made of the keyboard before
_CACHED = re.compile(r"cached_setup_keyboard\.sh|cached_.*\.kmap\.gz")
_LAYOUT = re.compile(r"[A-Za-z0-9_-]+(?:,[A-Za-z0-9_-]*)*")
_UNIT = "golden-locale.service"
_UNIT_PATH = f"/etc/systemd/system/{_UNIT}"
_WANTED = f"/etc/systemd/system/multi-user.target.wants/{_UNIT}"
_UNIT_TEXT = f"""\
[Unit]
Description=Generate the locale that this computer was deployed with
ConditionFileIsExecutable={{generator}}
Before=systemd-user-sessions.service

[Service]
Type=oneshot
ExecStart={{generator}}
ExecStartPost=/bin/rm -f {_WANTED} {_UNIT_PATH}

[Install]
WantedBy=multi-user.target
"""
_DESKTOP_TEXT = """\
Section "InputClass"
        Identifier "system-keyboard"
        MatchIsKeyboard "on"
        Option "XkbLayout" "{layout}"
        Option "XkbVariant" "{variant}"
EndSection
"""


class LocaleRequest(t.NamedTuple):
    """None: as it is."""

    timezone: str | None = None
    locale: str | None = None
    keyboard: Keyboard | None = None


class _Changes:
    """What there is to write, gathered before the first write."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.texts: dict[str, tuple[str | None, str]] = {}  # before and after
        self.links: dict[str, tuple[str | None, str]] = {}
        self.gone: list[str] = []
        self.notes: list[str] = []

    def text(self, path: str) -> str | None:
        data = self.root.read(path)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def write(self, path: str, after: str) -> bool:
        """:returns: whether it is another text."""
        before = self.text(path)
        if before != after:
            self.texts[path] = (before, after)
        return before != after

    def link(self, path: str, target: str, same: t.Collection[str] = ()) -> None:
        """:param same: other targets that are as good."""
        before = self.root.link_target(path)
        if before != target and before not in same:
            self.links[path] = (before, target)

    def diff(self) -> list[dict[str, str]]:
        every = {**self.texts, **self.links, **dict.fromkeys(self.gone, ("(made from the keyboard)", ""))}
        return [
            {"before_header": path, "after_header": path, "before": _line(before), "after": _line(after)}
            for path, (before, after) in every.items()
        ]

    def carry_out(self) -> None:
        for path, (_before, after) in self.texts.items():
            self.root.write(path, after.encode("utf-8", "surrogateescape"))
        for path, (_before, target) in self.links.items():
            self.root.link(path, target)
        for path in self.gone:
            self.root.remove_all(path)
        order_relabel(self.root)


def apply(tree: Tree, request: LocaleRequest, check: bool) -> dict[str, t.Any]:
    """Make it so.

    :returns: changed, diff, timezone, locale (what of it was asked for), notes.
    :raises OsError: the system does not have what is asked for.
    """
    changes = _Changes(tree.root)
    locale = None
    if request.timezone is not None:
        _plan_timezone(changes, request.timezone)
    if request.locale is not None:
        locale = _plan_locale(changes, request.locale)
    if request.keyboard is not None:
        _plan_keyboard(changes, request.keyboard)
    diff = changes.diff()
    if diff and not check:
        changes.carry_out()
    return {
        "changed": bool(diff),
        "diff": diff,
        "timezone": request.timezone,
        "locale": locale,
        "notes": changes.notes,
    }


def _plan_timezone(changes: _Changes, zone: str) -> None:
    if not _ZONE.fullmatch(zone):
        raise UsageError(f"{zone!r} cannot be a time zone; one is Europe/Berlin.")
    path = f"{_ZONES}/{zone}"
    info = changes.root.info(path)
    data = changes.root.read(path) if info and stat.S_ISREG(info.st_mode) else None
    if not data or not data.startswith(b"TZif"):
        hint = "" if changes.root.exists(_ZONES) else " It has none at all: its package tzdata is missing."
        raise OsError(f"The deployed system has no time zone {zone}.{hint}", path=path)
    changes.link(_LOCALTIME, f"..{path}", same={path})
    before = changes.text(_TIMEZONE)
    if before is not None and before.strip() != zone:
        changes.write(_TIMEZONE, f"{zone}\n")


def _plan_locale(changes: _Changes, asked: str) -> str:
    root = changes.root
    full = locales.full_name(asked)
    if full is None:
        raise UsageError(f"{asked!r} cannot be a locale; one is de_DE.UTF-8.")
    # Some are known by their bare name although their characters are those of UTF-8: sr_RS@latin.
    bare = locales.charset_of(root, full) is None and locales.charset_of(root, asked) == "UTF-8"
    name = asked if bare else full
    charset = locales.charset_of(root, name)
    generator = locales.generator(root)
    there = locales.is_there(root, name)
    if generator and charset:
        changes.write(locales.GENERATE, locales.with_locale(changes.text(locales.GENERATE) or "", name, charset))
    if not there:
        if not generator or not charset:
            raise OsError(
                f"The deployed system has no locale {name}, and cannot generate it. Install it before the image is "
                f"captured: a Debian needs its package locales, a Fedora glibc-langpack-{name.partition('_')[0]}."
            )
        changes.write(_UNIT_PATH, _UNIT_TEXT.format(generator=generator))
        changes.link(_WANTED, _UNIT_PATH)
        changes.notes.append(f"The deployed system does not have {name} yet. It generates it at its first boot.")
    files = [path for path in _LOCALE_FILES if root.exists(path)]
    for path in files or [_LOCALE_FILES[is_debian(root)]]:
        # These would win over it.
        changes.write(path, assigned(changes.text(path) or "", {"LANG": name, "LC_ALL": None, "LANGUAGE": None}))
    return name


def _plan_keyboard(changes: _Changes, keyboard: Keyboard) -> None:
    root = changes.root
    if not _LAYOUT.fullmatch(keyboard.layout) or not (
        not keyboard.variant or _LAYOUT.fullmatch(f"x{keyboard.variant}")
    ):
        raise UsageError(
            f"{' '.join(keyboard)!r} cannot be a keyboard; one is 'de', or 'de' with variant 'nodeadkeys'."
        )
    known = desktop_keyboards(root)
    if known and not is_known(keyboard, known):
        raise OsError(f"The deployed system has no keyboard {' '.join(keyboard).strip()}.")
    debian = root.exists(_KEYBOARD) or any(root.exists(path) for path in _SETUPCON)
    if debian:
        _plan_debian_keyboard(changes, keyboard, bool(known))
    if not debian or root.exists(_CONSOLE):
        keymap = console_keymap(root, keyboard)
        if keymap:
            changes.write(_CONSOLE, assigned(changes.text(_CONSOLE) or "", {"KEYMAP": keymap}))
        elif not debian:
            raise OsError(
                f"The console of the deployed system has no keyboard {' '.join(keyboard).strip()}. Install it before "
                "the image is captured: a Debian needs keyboard-configuration and console-setup, others need kbd."
            )
    if known and not debian and root.exists("/etc/X11"):
        changes.write(_DESKTOP, _DESKTOP_TEXT.format(layout=keyboard.layout, variant=keyboard.variant))


def _plan_debian_keyboard(changes: _Changes, keyboard: Keyboard, known: bool) -> None:
    if not known:
        raise OsError("The deployed system knows no keyboards: its package xkb-data is missing.")
    before = changes.text(_KEYBOARD) or ""
    values: dict[str, str | None] = {"XKBLAYOUT": keyboard.layout, "XKBVARIANT": keyboard.variant}
    if value_in(before, "XKBMODEL") is None:
        values["XKBMODEL"] = "pc105"
    if changes.write(_KEYBOARD, assigned(before, values)):
        changes.gone += [f"{_CACHE}/{name}" for name in changes.root.names(_CACHE) if _CACHED.fullmatch(name)]


def _line(text: str | None) -> str:
    return "" if text is None else text if text.endswith("\n") or not text else f"{text}\n"
