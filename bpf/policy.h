/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may use the NAT64 and what for: asked once, when a session is about to be made. */
#ifndef V6N_POLICY_H
#define V6N_POLICY_H

#include "answer.h"
#include "bib.h"
#include "destinations.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_key);
	__type(value, struct source);
} sources SEC(".maps");

/* Whether a port of a pool address belongs to the NAT64: in a range, or bound. */
SUBPROG int port_is_ours(__be32 address, __u32 proto_port)
{
	struct pool_address *pool = bpf_map_lookup_elem(&pool4_address, &address);
	__u32 i, port = proto_port & 0xffff, proto = proto_port >> 16 & 3;

	if (bib_find4(address, bpf_htons(port), proto) != NONE)
		return 1;
	if (!pool)
		return 0;
	for (i = 0; i < MAX_RANGES_OF_ADDRESS; i++) {
		struct pool_range *range;
		__u32 key;

		barrier_var(i); /* the verifier loses count of a variable on the stack */
		if (i >= pool->count)
			break;
		key = pool->first + i;
		range = bpf_map_lookup_elem(&pool4, &key);
		if (range && range->address == address && range->flags & POOL_PROTO << proto &&
		    port >= range->first && port <= range->last)
			return 1;
	}
	return 0;
}

/* Who is behind an IPv4 address: 1 this NAT64, 0 the node's own service, NONE no pool address. */
SUBPROG __u32 pool_side(__be32 address, __u32 proto_port)
{
	struct pool_address *pool = bpf_map_lookup_elem(&pool4_address, &address);

	if (!pool)
		return NONE;
	if (!(pool->flags & POOL_SHARED))
		return 1;
	if (proto_port >> 16 == BIB_ICMP)
		return 0;
	return port_is_ours(address, proto_port);
}

/*
 * Who may open a session from outside, beyond static entries: a forged private
 * source would open the way back to it, which policy_6to4 closes.
 */
SUBPROG int policy_4to6(struct work *w, struct bib_entry *entry)
{
	if (!w || !entry)
		return HELPER_FAILED;

	__u32 port = (__u32)entry->proto << 16 | bpf_ntohs(w->p.sport);
	__u32 side = pool_side(w->p.src4, port);

	w->hairpin = side == 1;
	if (side == NONE && !(entry->flags & BIB_STATIC) && refused4(w->p.src4))
		return BAD_SOURCE;
	return GO_ON;
}

/* As whom limits, port blocks and the log know the source. */
static __always_inline void source_client(struct client_key *key, const struct source *source,
					  const struct in6_addr *a)
{
	__u32 i, len = source->client_len;

	if (!len) {
		key->address = source->client;
		key->len = 128;
		return;
	}
	for (i = 0; i < 4; i++) {
		__u32 bits = len > 32 * i ? len - 32 * i : 0;

		key->address.s6_addr32[i] = bits >= 32 ? a->s6_addr32[i]
					    : bits ? a->s6_addr32[i] & bpf_htonl(~0U << (32 - bits))
						   : 0;
	}
	key->len = len;
}

/* The group of pool4 ranges: by the packet's mark, else by its source. */
static __always_inline __u32 choose_group(const struct nat64_config *cfg, __u32 mark, __u32 group)
{
	__u32 i;

	for (i = 0; i < MAX_GROUPS; i++) {
		if (i >= cfg->group_count)
			break;
		if (cfg->groups[i].mark_mask &&
		    (mark & cfg->groups[i].mark_mask) == cfg->groups[i].mark)
			return i;
	}
	return group & (MAX_GROUPS - 1);
}

SUBPROG int policy_6to4(struct work *w, struct nat64_config *cfg, __u32 bib_proto)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct source_key key = {.prefixlen = 128, .address = w->p.src6};
	struct source *source = bpf_map_lookup_elem(&sources, &key);
	__u32 pool;

	if (!source)
		return SOURCE_NOT_ALLOWED;
	source_client(&w->client, source, &w->p.src6);
	w->group = choose_group(cfg, w->mark, source->group);
	pool = pool_side(w->p.dst4, bib_proto << 16 | bpf_ntohs(w->p.dport));
	if (pool != NONE) {
		w->hairpin = pool;
		return GO_ON;
	}
	return refused4(w->p.dst4) ? DESTINATION_REFUSED : GO_ON;
}

#endif
