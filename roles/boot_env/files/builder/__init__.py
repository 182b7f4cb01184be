# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the boot environment of golden.fleet: a kernel and an initramfs, from Debian packages.

It runs on a build host and needs nothing but Python 3.9 and the programs that the role installs.
"""
