/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Binding Information Base (RFC 6146 section 3.1): bib6 and bib4 lead to one
 * array of entries. An entry lives while sessions refer to it; static entries live
 * always, in slots from bib_limit on, which only user space fills.
 */
#ifndef V6N_BIB_H
#define V6N_BIB_H

#include "abi.h"
#include "parse.h"
#include "rfc6052.h"

#define NONE 0xffffffffU
#define MAX_PORT_TRIES 128U /* at 95 % use one search in 700 fails */
#define MAX_RANGE_TRIES 4U  /* ranges tried before the pool counts as exhausted */

/* The loader sets the limits and the maps' sizes before it loads the object. */
const volatile __u32 bib_limit = 130048;
const volatile __u32 session_limit = 131072;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct bib6_key);
	__type(value, __u32);
} bib6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct bib4_key);
	__type(value, __u32);
} bib4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, struct bib_entry);
} bib SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 131072);
	__type(value, __u32);
} free_bib SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nat64_state);
} nat64_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_POOL);
	__type(key, __u32);
	__type(value, struct pool_range);
} pool4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, struct pool_address);
} pool4_address SEC(".maps");

static __always_inline struct nat64_state *state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nat64_state, &zero);
}

static __always_inline __u32 bib_proto(__u8 proto)
{
	return proto == IPPROTO_TCP ? BIB_TCP : proto == IPPROTO_UDP ? BIB_UDP : BIB_ICMP;
}

/* A slot from the queue of freed ones, else one that was never used. */
static __always_inline __u32 take_slot(void *free, __u32 *used_to, __u32 limit)
{
	__u32 index;

	if (!bpf_map_pop_elem(free, &index))
		return index;
	index = __sync_fetch_and_add(used_to, 1);
	if (index < limit)
		return index;
	__sync_fetch_and_add(used_to, -1);
	return NONE;
}

static __always_inline struct bib_entry *bib_at(__u32 index)
{
	struct bib_entry *entry = bpf_map_lookup_elem(&bib, &index);

	return entry && entry->flags & BIB_IN_USE ? entry : 0;
}

static __always_inline __u32 bib_find6(const struct in6_addr *address, __be16 port, __u8 proto,
				       __u32 pref64)
{
	struct bib6_key key = {.address = *address, .port = port, .proto = proto, .pref64 = pref64};
	__u32 *index = bpf_map_lookup_elem(&bib6, &key);

	return index ? *index : NONE;
}

static __always_inline __u32 bib_find4(__be32 address, __be16 port, __u8 proto)
{
	struct bib4_key key = {.address = address, .port = port, .proto = proto};
	__u32 *index = bpf_map_lookup_elem(&bib4, &key);

	return index ? *index : NONE;
}

/*
 * A free slot's count is changed, never written: another CPU may be about to take
 * back a hold of the entry that was here before.
 */
static __always_inline void bib_count_first(struct bib_entry *entry)
{
	__sync_fetch_and_add(&entry->refs, entry->refs & BIB_DEAD_REFS ? 1 - BIB_DEAD_REFS : 1);
}

/* Whether it is still this host's: a slot found by its key may be another's by now. */
static __always_inline bool bib_is6(const struct bib_entry *entry, const struct in6_addr *address,
				    __be16 port)
{
	return in6_equal(&entry->address6, address) && entry->port6 == port;
}

/* One more session on the entry; false while it is being removed. */
static __always_inline bool bib_hold(struct bib_entry *entry)
{
	__u32 refs = __sync_fetch_and_add(&entry->refs, 1);

	if (!(refs & BIB_DEAD_REFS))
		return true;
	__sync_fetch_and_add(&entry->refs, -1);
	return false;
}

SUBPROG int bib_release(__u32 index)
{
	struct bib_entry *entry = bib_at(index);
	struct bib6_key key6 = {};
	struct bib4_key key4 = {};
	struct nat64_state *s;

	if (!entry)
		return 0;
	if (__sync_fetch_and_add(&entry->refs, -1) != 1 || entry->flags & BIB_STATIC)
		return 0;
	if (__sync_val_compare_and_swap(&entry->refs, 0, BIB_DEAD_REFS) != 0)
		return 0;
	key6.address = entry->address6;
	key6.port = entry->port6;
	key6.proto = entry->proto;
	key6.pref64 = entry->pref64;
	key4.address = entry->address4;
	key4.port = entry->port4;
	key4.proto = entry->proto;
	bpf_map_delete_elem(&bib6, &key6);
	bpf_map_delete_elem(&bib4, &key4);
	entry->flags = 0;
	bpf_map_push_elem(&free_bib, &index, 0);
	s = state();
	if (s)
		__sync_fetch_and_add(&s->bib_count, -1);
	return 0;
}

/* UDP keeps the port's parity (RFC 6146 section 3.5.1.1). */
static __always_inline __u32 port_candidate(const struct pool_range *range, __u16 port6, bool udp)
{
	__u32 size = (__u32)range->last - range->first + 1;
	__u32 port = range->first + bpf_get_prandom_u32() % size;

	if (udp && (port ^ port6) & 1)
		port = port < range->last ? port + 1 : port > range->first ? port - 1 : port;
	return port;
}

/* Claims a free port of one range for the entry: whoever enters bib4 first has it. */
SUBPROG int claim_port(struct bib_entry *entry, __u32 index, __u32 range_index)
{
	if (!entry)
		return HELPER_FAILED;

	struct pool_range *range = bpf_map_lookup_elem(&pool4, &range_index);
	struct bib4_key key = {};
	__u32 i, value = index;

	if (!range || range->last < range->first || !range->last)
		return POOL4_EXHAUSTED;
	key.address = range->address;
	key.proto = entry->proto;
	entry->address4 = range->address;
	for (i = 0; i < MAX_PORT_TRIES; i++) {
		barrier(); /* else a loop closed by falling through, which Linux 6.1 refuses */
		key.port = bpf_htons(
			port_candidate(range, bpf_ntohs(entry->port6), entry->proto == BIB_UDP));
		entry->port4 = key.port;
		if (!bpf_map_update_elem(&bib4, &key, &value, BPF_NOEXIST))
			return GO_ON;
	}
	return POOL4_EXHAUSTED;
}

/* One host keeps one address while it has room (paired pooling, RFC 4787 REQ-2). */
static __always_inline __u32 home_range(const struct in6_addr *a, __u32 count)
{
	__u32 h = a->s6_addr32[0] ^ a->s6_addr32[1] ^ a->s6_addr32[2] ^ a->s6_addr32[3];

	h ^= h >> 16;
	h *= 0x45d9f3bU;
	h ^= h >> 16;
	return h % count;
}

/* A new dynamic entry for the source of `p`, held once; the index goes to *result. */
SUBPROG int bib_create(struct packet *p, __u32 proto_pref64, __u32 pool_count, __u64 now,
		       __u32 *result)
{
	if (!p || !result)
		return HELPER_FAILED;

	struct nat64_state *s = state();
	struct bib6_key key = {};
	struct bib_entry *entry;
	__u32 index, first, i;
	int reason = POOL4_EXHAUSTED;

	if (!s || !pool_count)
		return POOL4_EXHAUSTED;
	index = take_slot(&free_bib, &s->bib_used_to, bib_limit);
	entry = bpf_map_lookup_elem(&bib, &index);
	if (!entry)
		return TABLE_FULL;
	entry->address6 = p->src6;
	entry->port6 = p->sport;
	entry->proto = proto_pref64 >> 8;
	entry->pref64 = proto_pref64;
	entry->created_ns = now;
	bib_count_first(entry);
	entry->flags = BIB_IN_USE;
	key.address = p->src6;
	key.port = p->sport;
	key.proto = entry->proto;
	key.pref64 = entry->pref64;

	first = home_range(&p->src6, pool_count);
	for (i = 0; i < MAX_RANGE_TRIES && reason != GO_ON; i++) {
		if (i >= pool_count)
			break;
		reason = claim_port(entry, index, (first + i) % pool_count);
	}
	if (reason == GO_ON && bpf_map_update_elem(&bib6, &key, &index, BPF_NOEXIST)) {
		struct bib4_key key4 = {
			.address = entry->address4, .port = entry->port4, .proto = entry->proto};

		bpf_map_delete_elem(&bib4, &key4);
		reason = TABLE_FULL; /* or another CPU was first: the caller looks again */
	}
	if (reason != GO_ON) {
		entry->flags = 0;
		__sync_fetch_and_add(&entry->refs, BIB_DEAD_REFS - 1);
		bpf_map_push_elem(&free_bib, &index, 0);
		return reason;
	}
	__sync_fetch_and_add(&s->bib_count, 1);
	*result = index;
	return GO_ON;
}

#endif
