#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# importer.sh FOLDER: what Ansible Galaxy checks on an upload, on the tarball in FOLDER. The importer only warns of most
# things; the other steps are stricter.
set -euo pipefail
cd "$(dirname "$0")/../.."

tarball=$(readlink -f "$1"/*.tar.gz)
importer=$(readlink -f .cache/importer)
# It writes its log and a copy of the ansible-lint cache to where it runs.
cd "$1"
PATH=$importer/bin:$PATH exec "$importer/bin/python" -m galaxy_importer.main "$tarball"
