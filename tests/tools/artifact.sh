#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# artifact.sh FOLDER: builds the collection and installs it into FOLDER, as a user would.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
rm -rf "$folder"
mkdir -p "$folder"
ansible-galaxy collection build --output-path "$folder" . >/dev/null
ANSIBLE_COLLECTIONS_PATH=$folder ansible-galaxy collection install --offline --no-deps -p "$folder" "$folder"/*.tar.gz >/dev/null
# ansible-test asks git which files there are. Without a repository of its own it would ask the one around this
# folder, which ignores all of it.
git init --quiet "$folder/ansible_collections/golden/fleet"
