#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# packages.sh LIST: installs the Debian packages of LIST that are missing. Asks the network only if one is.
set -eu
. "$(dirname "$0")/say.sh"
list=$1

command -v dpkg-query >/dev/null || die "this is no Debian system; install by hand what $list names, under your system's names."
missing=""
for name in $(sed -e 's/#.*//' "$list" | awk 'NF { print $1 }'); do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || status=""
    [ "$status" = installed ] || missing="$missing $name"
done
if [ -z "$missing" ]; then
    say "Debian packages: all there ($list)"
    exit 0
fi
is_root || die "Debian packages are missing:$missing. Run 'sudo make setup' once."
say "Debian packages to install:$missing"

# A package must not start a web server or a resolver on this machine: the lab starts its own, in its own namespaces.
policy=/usr/sbin/policy-rc.d
before=$(mktemp)
ours=no
if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
installed() { dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort; }

# Nor at the next boot, whatever came along. A package that was there before is the operator's own and stays as it is.
# So it is where apt failed, or was told to end, in the middle.
keep_off() {
    disable="deb-systemd-helper disable"
    if command -v systemctl >/dev/null; then disable="systemctl disable"; fi
    for name in $(installed | comm -13 "$before" -); do
        for unit in $(dpkg -L "$name" | sed -n 's#.*/systemd/system/\([^/@]*\.\(service\|socket\|target\)\)$#\1#p'); do
            $disable "$unit" >/dev/null 2>&1 || true
        done
    done
    rm -f "$before"
    [ "$ours" = no ] || rm -f "$policy"
}
installed >"$before"
trap keep_off EXIT
export DEBIAN_FRONTEND=noninteractive
step "Reading Debian's package lists" apt-get update
# shellcheck disable=SC2086 # a list of words
step "Installing Debian packages" apt-get install -y --no-install-recommends $missing
