/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Explicit address mappings (RFC 7757): longest prefix match either way, suffixes carried over. */
#ifndef V6N_EAM_H
#define V6N_EAM_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "answer.h"
#include "slow.h"

#define NONE 0xffffffffU

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct destination_key);
	__type(value, struct eam);
} eam4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_key);
	__type(value, struct eam);
} eam6 SEC(".maps");

/* Datagrams of UDP without checksum that the slow path reassembles; value: deadline in ns. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_FRAGMENTS);
	__type(key, struct fragment_key);
	__type(value, __u64);
} udp0_fragments SEC(".maps");

#define UDP0_LIFETIME_NS (30 * SECOND_NS)

/*
 * The suffix is shifted from the end of one prefix to the end of the other
 * (RFC 7757 section 3.3): IPv6 prefixes may end anywhere, so bits move.
 */
SUBPROG int eam_6to4(const struct in6_addr *v6, __be32 *v4)
{
	if (!v6 || !v4)
		return 0;

	struct source_key key = {.prefixlen = 128, .address = *v6};
	struct eam *e = bpf_map_lookup_elem(&eam6, &key);
	__u32 suffix = 0, bits, i, bit;

	if (!e)
		return 0;
	bits = 32 - (e->len4 & 63);
	if (e->len6 == 96 + e->len4) { /* the usual case: the suffixes end together */
		suffix = bpf_ntohl(v6->s6_addr32[3]);
		if (bits < 32)
			suffix &= (1U << bits) - 1;
		*v4 = e->address4 | bpf_htonl(suffix);
		return 1;
	}
	for (i = 0; i < 32; i++) {
		if (i >= bits)
			break;
		bit = e->len6 + i;
		suffix = suffix << 1 | (v6->s6_addr[(bit >> 3) & 15] >> (7 - (bit & 7)) & 1);
	}
	*v4 = e->address4 | bpf_htonl(suffix);
	return 1;
}

SUBPROG int eam_4to6(__be32 v4, struct in6_addr *v6)
{
	if (!v6)
		return 0;

	struct destination_key key = {.prefixlen = 32, .address = v4};
	struct eam *e = bpf_map_lookup_elem(&eam4, &key);
	__u32 host = bpf_ntohl(v4), bits, i, bit;

	if (!e)
		return 0;
	*v6 = e->address6;
	bits = 32 - (e->len4 & 63);
	if (e->len6 == 96 + e->len4) {
		if (bits < 32)
			host &= (1U << bits) - 1;
		v6->s6_addr32[3] |= bpf_htonl(host);
		return 1;
	}
	for (i = 0; i < 32; i++) {
		barrier_var(i); /* else a loop closed by falling through, which Linux 6.1 refuses */
		if (i >= bits)
			break;
		bit = e->len6 + i;
		if (host >> (bits - 1 - i) & 1)
			v6->s6_addr[(bit >> 3) & 15] |= 1 << (7 - (bit & 7));
	}
	return 1;
}

/*
 * Fragmented UDP without checksum: all of its fragments to the slow path, or none
 * of them anywhere (RFC 7915 section 4.5).
 */
SUBPROG int fragment_udp0(struct __sk_buff *skb, struct work *w, struct siit_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct fragment_key key;
	__u64 *deadline, value;

	if (!p->fragment || p->proto != IPPROTO_UDP)
		return GO_ON;
	__builtin_memset(&key, 0, sizeof(key));
	key.source.s6_addr32[3] = p->src4;
	key.destination.s6_addr32[3] = p->dst4;
	key.id = p->id;
	key.proto = p->proto;
	key.family = 4;
	if (dry_run && first_or_whole(p)) {
		if (p->l4_check)
			return GO_ON;
	} else if (first_or_whole(p)) {
		if (p->l4_check) {
			bpf_map_delete_elem(&udp0_fragments, &key);
			return GO_ON;
		}
		value = w->now + UDP0_LIFETIME_NS;
		bpf_map_update_elem(&udp0_fragments, &key, &value, BPF_ANY);
	} else {
		deadline = bpf_map_lookup_elem(&udp0_fragments, &key);
		if (!deadline || w->now >= *deadline)
			return GO_ON;
	}
	if (cfg->options.flags & DROP_UDP0)
		return first_or_whole(p) ? UDP_NO_CHECKSUM : FRAGMENT_OF_DROPPED;
	return to_slow(skb, w, cfg->slow_ifindex, SLOW_CLAT, SLOW_FRAGMENTED_UDP0);
}

#endif
