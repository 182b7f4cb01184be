# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which of several choices is for a machine of this model, by what its firmware says."""

from __future__ import annotations

import fnmatch
import typing as t
from pathlib import Path

_DMI = Path("/sys/class/dmi/id")


class Model(t.NamedTuple):
    """A machine's vendor and model; empty where the firmware does not say.

    :ivar version: where some vendors write what they call the model, which is a number to them.
    """

    vendor: str
    model: str
    version: str = ""


def this_model() -> Model:
    """Of this machine."""
    return Model(*(_read(_DMI / name) for name in ("sys_vendor", "product_name", "product_version")))


def choose(choices: t.Iterable[str], model: Model) -> str | None:
    """The choice for a model: one that names it, or else the first one whose wildcards fit.

    :param choices: ``Vendor/Model``, with ``*``, ``?`` and ``[…]``, in upper or lower case.
    """
    names = [_plain(f"{model.vendor}/{name}") for name in (model.model, model.version or model.model)]
    known = list(choices)
    exact = [choice for choice in known if _plain(choice) in names]
    fitting = [choice for choice in known if any(fnmatch.fnmatchcase(name, _plain(choice)) for name in names)]
    return next(iter(exact + fitting), None)


def _plain(name: str) -> str:
    """Firmware is generous with spaces."""
    return "/".join(" ".join(part.split()) for part in name.casefold().split("/"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
