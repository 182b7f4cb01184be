#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Installs what the tests, the demo and the bench need: the Debian packages of bindep.txt that are missing, and the
# virtual environments, which are kept in the user's cache under a hash of what went into them.
set -euo pipefail
cd "$(dirname "$0")/../.."

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/golden.fleet"
POLICY=/usr/sbin/policy-rc.d

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

missing_packages() {
    local package
    sed -n 's/^\([a-z0-9.+-]*\) \[.*/\1/p' bindep.txt | while read -r package; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            echo "$package"
    done
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "setup: no apt-get here; the programs named in bindep.txt are expected to be installed" >&2
        return
    fi
    local packages
    mapfile -t packages < <(missing_packages)
    [[ ${#packages[@]} -gt 0 ]] || return 0
    [[ $EUID -eq 0 ]] || die "these packages are missing, install them as root: ${packages[*]}"
    echo "setup: installing ${packages[*]}"
    forbid_services
    local apt=(apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
    export DEBIAN_FRONTEND=noninteractive
    # A list that is old but good enough saves the update; a list that names vanished files asks for one.
    "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || {
        "${apt[@]}" update
        "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null
    }
    allow_services
}

# The tests start an nginx of their own; the package must not start one on port 80 of this machine.
forbid_services() {
    [[ ! -e $POLICY ]] || return 0
    trap allow_services EXIT
    printf '#!/bin/sh\n# golden.fleet tests/tools/setup.sh\nexit 101\n' >"$POLICY"
    chmod +x "$POLICY"
}

allow_services() {
    if grep -qs 'golden.fleet tests/tools/setup.sh' "$POLICY"; then
        rm -f "$POLICY"
    fi
}

# ansible 12 runs on Python 3.11 to 3.13; "python3" may be an older one in front of the system's.
find_python() {
    local python
    for python in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            # The real one, by one name, also when the environment that this script made is on the path already.
            "$python" -c 'import os, sys; print(os.path.realpath(sys._base_executable))'
            return
        fi
    done
    die "no Python 3.11, 3.12 or 3.13 with ensurepip was found; set PYTHON to one"
}

# environment NAME LINK REQUIREMENTS...: makes the virtual environment if there is none for these inputs.
environment() {
    local name=$1 link=$2 key path file requirements=()
    shift 2
    key=$({ "$python" -c 'import sys; print(sys.version, sys.executable)' && cat "$@"; } | sha256sum | cut -c1-12)
    path=$CACHE/$name-$key
    if [[ ! -e $path/.complete ]]; then
        echo "setup: building the Python environment $path"
        rm -rf "$path"
        "$python" -m venv ${venv_option:+"$venv_option"} "$path"
        for file in "$@"; do requirements+=(--requirement "$file"); done
        # Python compiles what it imports; compiling all of ansible's collections would take longer than the download.
        "$path/bin/pip" install -qq --no-compile --disable-pip-version-check "${requirements[@]}"
    fi
    touch "$path/.complete"
    mkdir -p "$(dirname "$link")"
    ln -sfn "$path" "$link"
}

# Environments that no tree has asked for in a month.
sweep() {
    find "$CACHE" -mindepth 2 -maxdepth 2 -name .complete -mtime +30 -printf '%h\0' | xargs -0 --no-run-if-empty rm -rf
}

mkdir -p "$CACHE"
exec 9>"$CACHE/setup.lock"
flock 9
install_packages
python=$(find_python)
environment venv .venv requirements.txt requirements-dev.txt
mkdir -p .cache/ansible_collections/golden
ln -sfn "$PWD" .cache/ansible_collections/golden/fleet  # where Python and Ansible look for a collection
environment importer .cache/importer requirements-importer.txt
python=/usr/bin/python3 venv_option=--system-site-packages environment bmc .cache/bmc requirements-bmc.txt
ln -sfn "$(readlink -f .cache/bmc)/bin/sushy-emulator" .venv/bin/sushy-emulator
sweep
