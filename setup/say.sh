# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the scripts of this folder: how set-up talks, and as whom it writes files.
#
# Every file made in the tree belongs to whoever called: through sudo that is $SUDO_UID, else the present user.

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1

say() { printf '%s\n' "$*"; }
die() {
    printf 'v6native set-up: %s\n' "$*" >&2
    exit 1
}
is_root() { [ "$(id -u)" -eq 0 ]; }

# Run a command as the caller.
as_caller() {
    if is_root && [ "${SUDO_UID:-0}" -ne 0 ]; then
        setpriv --reuid="$SUDO_UID" --regid="${SUDO_GID:-$SUDO_UID}" --init-groups -- \
            env HOME="$(getent passwd "$SUDO_UID" | cut -d: -f6)" "$@"
    else
        "$@"
    fi
}

# What a run as root left in build/ goes to the caller, so that the next run without root can write there.
give_back() {
    if is_root && [ "${SUDO_UID:-0}" -ne 0 ] && [ -d build ]; then
        chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build
    fi
}

# step TITLE COMMAND…: one line, a dot every second while it runs, the end of its log if it fails.
step() {
    title=$1
    shift
    as_caller mkdir -p build/log || die "cannot write in $root: clone it as the user who runs make."
    log=build/log/$(printf '%s' "$title" | tr -c 'A-Za-z0-9' '-').log
    printf '%s ' "$title"
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    # A command in the background does not hear Ctrl-C: it is told, and waited for.
    trap 'trap "" INT TERM; kill "$pid" 2>/dev/null || true; wait "$pid" || true; die "\"$title\" was interrupted."' INT TERM
    seconds=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        printf '.'
    done
    if wait "$pid"; then
        trap - INT TERM
        give_back
        printf ' done (%s s)\n' "$seconds"
    else
        status=$?
        give_back
        printf ' failed\n'
        tail -n 25 "$log" >&2
        die "\"$title\" failed with exit status $status; the whole output is in $log."
    fi
}
