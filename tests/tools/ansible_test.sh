#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ansible_test.sh COLLECTION sanity|integration [ARGUMENT...]: ansible-test on an installed collection.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
shift

# ansible-test makes virtual environments of its own and would download an installer for pip, of a version it names
# in its source. Python brings one.
source=$(python -c 'import ansible_test; print(ansible_test.__path__[0])')/_internal/python_requirements.py
version=$(sed -n "s/^ *pip='\([0-9.]*\)',$/\1/p" "$source")
[[ -n $version ]] || {
    echo "ansible_test.sh: no version of pip found in $source" >&2
    exit 1
}
installer=$HOME/.ansible/test/cache/get_pip_${version//./_}.py
if [[ ! -e $installer ]]; then
    mkdir -p "$(dirname "$installer")"
    cp "$here/get_pip.py" "$installer"
fi

# pyenv puts a python3.9 on the path that only says it is not chosen; ansible-test takes it for a real one.
if command -v pyenv >/dev/null; then
    root=$(pyenv root)
    PATH=$(tr : '\n' <<<"$PATH" | grep -vFx "$root/shims" | paste -sd:)
    for folder in "$root"/versions/3.*/bin; do
        PATH+=:$folder
    done
fi

exec ansible-test "$@" --color no
