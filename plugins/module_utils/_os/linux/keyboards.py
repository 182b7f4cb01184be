# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The keyboards that a deployed Linux knows: on its graphical desktop, and on its console."""

from __future__ import annotations

import re
import stat
import typing as t

from ..beneath import Root

_RULES = ("/usr/share/X11/xkb/rules/evdev.lst", "/usr/share/X11/xkb/rules/base.lst")
_CONSOLE = ("/usr/share/systemd/kbd-model-map", "/usr/lib/systemd/kbd-model-map")
_KEYMAPS = ("/usr/lib/kbd/keymaps", "/usr/share/kbd/keymaps", "/usr/share/keymaps")
_ENDING = re.compile(r"\.map(?:\.gz|\.xz|\.bz2|\.zst)?$")
_MOST_FOLDERS = 500


class Keyboard(t.NamedTuple):
    """As X names it; with commas, several."""

    layout: str
    variant: str = ""


def desktop_keyboards(root: Root) -> set[Keyboard]:
    """Single layouts and variants."""
    for path in _RULES:
        data = root.read(path)
        if data is not None:
            return keyboards_in(data.decode("utf-8", "replace"))
    return set()


def keyboards_in(rules: str) -> set[Keyboard]:
    """Of a list of rules of xkeyboard-config."""
    found, section = set(), ""
    for line in rules.splitlines():
        words = line.split()
        if line.startswith("!"):
            section = words[1] if len(words) > 1 else ""
        elif section == "layout" and words:
            found.add(Keyboard(words[0]))
        elif section == "variant" and len(words) > 1:
            found.add(Keyboard(words[1].rstrip(":"), words[0]))
    return found


def is_known(keyboard: Keyboard, known: t.Collection[Keyboard]) -> bool:
    """Whether each of its parts is."""
    layouts, variants = keyboard.layout.split(","), keyboard.variant.split(",")
    variants += [""] * (len(layouts) - len(variants))
    return len(layouts) == len(variants) and all(Keyboard(*pair) in known for pair in zip(layouts, variants))


def console_keymap(root: Root, keyboard: Keyboard) -> str | None:
    """The nearest that the console has."""
    known = set(_keymaps(root))
    text = next(filter(None, map(root.read, _CONSOLE)), b"").decode("utf-8", "replace")
    layout, variant = keyboard.layout.split(",")[0], keyboard.variant.split(",")[0]
    names = [f"{layout}-{variant}"] if variant else [layout]
    names += keymaps_for(text, Keyboard(layout, variant))
    return next((name for name in names if name in known), None)


def keymaps_for(model_map: str, keyboard: Keyboard) -> list[str]:
    """What systemd's table says of it: those for this layout alone first."""
    rows = [line.split() for line in model_map.splitlines() if line.strip() and not line.startswith("#")]
    rows = [row for row in rows if len(row) > 3 and row[1].split(",")[0] == keyboard.layout]
    fitting = [row for row in rows if row[3].replace("-", "").split(",")[0] == keyboard.variant]
    return [row[0] for row in sorted(fitting, key=lambda row: "," in row[1])]


def _keymaps(root: Root) -> t.Iterator[str]:
    folders = list(_KEYMAPS)
    for number, folder in enumerate(folders):
        if number > _MOST_FOLDERS:
            return
        for name in root.names(folder):
            if _ENDING.search(name):
                yield _ENDING.sub("", name)
            elif (info := root.info(f"{folder}/{name}")) and stat.S_ISDIR(info.st_mode):
                folders.append(f"{folder}/{name}")
