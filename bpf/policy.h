/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may use the NAT64 and what for: asked once, when a session is about to be made. */
#ifndef V6N_POLICY_H
#define V6N_POLICY_H

#include "answer.h"
#include "bib.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_key);
	__type(value, __u32);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct destination_key);
	__type(value, __u32);
} destinations4 SEC(".maps");

/* Whether a port of a pool address belongs to the NAT64: in a range, or bound. */
SUBPROG int port_is_ours(__be32 address, __u32 proto_port, __u32 pool_count)
{
	__u32 i, port = proto_port & 0xffff;

	if (bib_find4(address, bpf_htons(port), proto_port >> 16) != NONE)
		return 1;
	for (i = 0; i < MAX_POOL; i++) {
		struct pool_range *range;
		__u32 key = i;

		barrier_var(i); /* the verifier loses count of a variable on the stack */
		if (i >= pool_count)
			break;
		range = bpf_map_lookup_elem(&pool4, &key);
		if (range && range->address == address && port >= range->first &&
		    port <= range->last)
			return 1;
	}
	return 0;
}

/* Who is behind an IPv4 address: 1 this NAT64, 0 the node's own service, NONE no pool address. */
SUBPROG __u32 pool_side(__be32 address, __u32 proto_port, __u32 pool_count)
{
	struct pool_address *pool = bpf_map_lookup_elem(&pool4_address, &address);

	if (!pool)
		return NONE;
	if (!(pool->flags & POOL_SHARED))
		return 1;
	if (proto_port >> 16 == BIB_ICMP)
		return 0;
	return port_is_ours(address, proto_port, pool_count);
}

/* Non-global, and not opened by the operator. */
static __always_inline bool refused4(__be32 address)
{
	struct destination_key key = {.prefixlen = 32, .address = address};
	__u32 *value = bpf_map_lookup_elem(&destinations4, &key);

	return value && *value;
}

/*
 * Who may open a session from outside, beyond static entries: a forged private
 * source would open the way back to it, which policy_6to4 closes.
 */
SUBPROG int policy_4to6(struct work *w, struct bib_entry *entry, __u32 pool_count)
{
	if (!w || !entry)
		return HELPER_FAILED;

	__u32 port = (__u32)entry->proto << 16 | bpf_ntohs(w->p.sport);
	__u32 side = pool_side(w->p.src4, port, pool_count);

	w->hairpin = side == 1;
	if (side == NONE && !(entry->flags & BIB_STATIC) && refused4(w->p.src4))
		return BAD_SOURCE;
	return GO_ON;
}

SUBPROG int policy_6to4(struct work *w, __u32 bib_proto, __u32 pool_count)
{
	if (!w)
		return HELPER_FAILED;

	struct source_key source = {.prefixlen = 128, .address = w->p.src6};
	__u32 *value = bpf_map_lookup_elem(&sources, &source);
	__u32 pool;

	if (!value || !*value)
		return SOURCE_NOT_ALLOWED;
	pool = pool_side(w->p.dst4, bib_proto << 16 | bpf_ntohs(w->p.dport), pool_count);
	if (pool != NONE) {
		w->hairpin = pool;
		return GO_ON;
	}
	return refused4(w->p.dst4) ? DESTINATION_REFUSED : GO_ON;
}

#endif
