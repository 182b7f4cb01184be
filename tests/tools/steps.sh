#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs make targets one after the other, all of them even if one fails: a line for each, with its time; the output
# of those that fail, and their names again at the end.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

logs=.cache/logs
mkdir -p "$logs"
failed=()
began=$SECONDS

run_step() {
    local step=$1 log=$logs/$1.log start=$SECONDS
    printf '== %-12s ' "$step"
    if "${MAKE:-make}" --no-print-directory "$step" >"$log" 2>&1 </dev/null; then
        printf 'ok      %4d s   %s\n' $((SECONDS - start)) "$(summary "$log")"
    else
        printf 'FAILED  %4d s   %s\n' $((SECONDS - start)) "$log"
        sed 's/^/   | /' "$log" | tail -n 400
        failed+=("$step")
    fi
}

# What pytest counted, for the steps that run it.
summary() {
    grep -aoE '^=*[ ]?[0-9]+ passed.*' "$1" | tail -n 1 | tr -d '='
}

for step in "$@"; do
    run_step "$step"
done
printf '== total        %s min %s s\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'failed: %s (logs in %s)\n' "${failed[*]}" "$logs"
    exit 1
fi
