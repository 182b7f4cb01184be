#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# importer.sh FOLDER: what Ansible Galaxy checks on an upload, on the tarball in FOLDER.
set -euo pipefail
cd "$(dirname "$0")/../.."

tarball=$(readlink -f "$1"/*.tar.gz)
importer=$(readlink -f .cache/importer)
# It writes its result to where it runs.
cd "$1"
PATH=$importer/bin:$PATH "$importer/bin/python" -m galaxy_importer.main "$tarball" 2>&1 | tee importer.log
# It calls a collection good of which it could not read the documentation, or lint the roles.
if grep -E '^(ERROR|WARNING)' importer.log >importer.complaints; then
    echo "galaxy-importer complains:" >&2
    cat importer.complaints >&2
    exit 1
fi
