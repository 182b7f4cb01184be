#!/usr/bin/env bash
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs make targets in lanes, each argument being one: the targets of a lane one after the other, the lanes side by
# side. All of them even if one fails: a line for each, with its time; the output of those that fail, and their names
# again at the end.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

logs=.cache/logs
rm -rf "$logs"
mkdir -p "$logs"
began=$SECONDS

run_step() {
    local step=$1 log=$logs/$1.log start=$SECONDS
    if "${MAKE:-make}" --no-print-directory "$step" >"$log" 2>&1 </dev/null; then
        printf '== %-12s ok      %4d s   %s\n' "$step" $((SECONDS - start)) "$(summary "$log")"
    else
        printf '== %-12s FAILED  %4d s   %s\n%s\n' "$step" $((SECONDS - start)) "$log" \
            "$(sed 's/^/   | /' "$log" | tail -n 400)"
        touch "$logs/$step.failed"
    fi
}

run_lane() {
    local step
    for step in $1; do
        run_step "$step"
    done
}

# What pytest counted, for the steps that run it.
summary() {
    grep -aoE '^=*[ ]?[0-9]+ passed.*' "$1" | tail -n 1 | tr -d '='
}

# Built once, here: two lanes must not do it at the same time.
run_step artifact
[[ -e $logs/artifact.failed ]] && exit 1
export ARTIFACT_IS_BUILT=1

trap 'kill $(jobs -p) 2>/dev/null' EXIT
for lane in "$@"; do
    run_lane "$lane" &
done
wait
trap - EXIT

printf '== total        %s min %s s\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
failed=$(find "$logs" -name '*.failed' -printf '%f ' | sed 's/\.failed//g')
if [[ -n $failed ]]; then
    printf 'failed: %s(logs in %s)\n' "$failed" "$logs"
    exit 1
fi
