#!/bin/sh
# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
# inside.sh TREE MODULES: process 1 of the guest once its root is there. Readies the kernel, runs each section, and
# reports them on the second serial line, as "V6NATIVE-GUEST SECTION EXIT-STATUS".
tree=$1
modules=$2
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8
export NO_COLOR=1 TERM=dumb PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec >/dev/ttyS1 2>&1 </dev/null
report() { echo "V6NATIVE-GUEST $*"; }
end() {
    sync
    echo o >/proc/sysrq-trigger
    while :; do :; done
}
cd "$tree" || { report init "the tree $tree is not there"; end; }

# What the host has mounted on these is not what the guest's kernel has.
for point in /run /tmp /var/lib/v6native /dev/shm; do
    # A tree under /tmp must stay in sight; what is written there goes to memory either way.
    case "$tree/" in "$point"/*) continue ;; esac
    mkdir -p "$point"
    mount -t tmpfs tmpfs "$point"
done
mkdir -p /dev/pts /lib/modules /run/netns
mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t debugfs debugfs /sys/kernel/debug
mount --bind "$modules" /lib/modules
ip link set lo up
report release "$(uname -r)"

for module in veth tun wireguard nf_tables nft_ct nft_tproxy nft_chain_nat nft_masq nf_conntrack nf_defrag_ipv6 \
    cls_bpf sch_ingress bridge; do
    modprobe "$module" || report modules 1
done

section() {
    name=$1
    shift
    echo "== $name"
    "$@"
    report "$name" $?
}
python=.venv/bin/python
section objects $python tests/wheel/load_objects.py
section download $python -m tests.kernel.download
section packets env V6NATIVE_COUNT=emulated $python -m pytest -q -o cache_dir=/tmp/pytest tests/packets
report ended 0
end
