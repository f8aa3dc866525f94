#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# The first program in the guest: makes the host's own files, read-only and with a layer of memory above them, the
# guest's root, and hands over to inside.sh. So the guest has the tree, .venv and every tool just as the host has them.
PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev

fail() {
    echo "V6NATIVE-GUEST init: $*" >/dev/ttyS1
    echo "V6NATIVE-GUEST init: $*"
    poweroff -f
}

while read -r module; do
    insmod "/modules/$module" || fail "module $module cannot be loaded"
done </modules/order

mkdir -p /host /memory /newroot
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=524288,ro host /host || fail "the host's files are not there"
mount -t tmpfs -o size=75% tmpfs /memory
mkdir -p /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work,xino=off overlay /newroot || fail "no overlay"

for point in proc sys dev; do
    mkdir -p "/newroot/$point"
    mount -o move "/$point" "/newroot/$point"
done
. /guest.env
exec switch_root /newroot /bin/sh "$V6NATIVE_TREE/tests/kernel/inside.sh" "$V6NATIVE_TREE" "$V6NATIVE_MODULES"
fail "the host's shell does not start"
