# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs inside the boot environment: brings up the network, checks in, shows on the console how things stand, and
goes back to the local disk when nobody needs this machine. It lies in /usr/lib/python3/dist-packages/golden_boot_env.
"""
