# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the pip installer that ansible-test would download: Python brings its own.

ansible-test looks for it in ``~/.ansible/test/cache`` and runs it with the arguments of the real one.
"""

from __future__ import annotations

import subprocess
import sys

# Arguments of the real installer that "pip install" does not know.
_NOT_FOR_PIP = {"--no-setuptools", "--no-wheel"}


def main() -> None:
    # As a program of its own: inside this process ensurepip would take the user's pip settings out of the environment.
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    arguments = [argument for argument in sys.argv[1:] if argument not in _NOT_FOR_PIP]
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True)


main()
