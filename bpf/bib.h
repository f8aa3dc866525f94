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
#include "answer.h"
#include "client.h"
#include "parse.h"
#include "rfc6052.h"
#include "slots.h"

#define MAX_PORT_TRIES 128U /* at 95 % use one search in 700 fails */
#define MAX_RANGE_TRIES 8U  /* ranges tried before the pool counts as exhausted */

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
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, struct pool_address);
} pool4_address SEC(".maps");

static __always_inline __u32 bib_proto(__u8 proto)
{
	return proto == IPPROTO_TCP ? BIB_TCP : proto == IPPROTO_UDP ? BIB_UDP : BIB_ICMP;
}

static __always_inline struct bib_entry *bib_at(__u32 index)
{
	struct bib_entry *entry = bpf_map_lookup_elem(&bib, &index);

	return entry && (entry->flags & (BIB_IN_USE | BIB_ENDED)) == BIB_IN_USE ? entry : 0;
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

/* The entry of w->bib, or the one that a dry run would have made. */
static __always_inline struct bib_entry *entry_of(struct work *w)
{
	if (dry_run && w->bib == NONE && w->would.entry.flags)
		return &w->would.entry;
	return bib_at(w->bib);
}

/* Whether it is still this host's: a slot found by its key may be another's by now. */
static __always_inline bool bib_is6(const struct bib_entry *entry, const struct in6_addr *address,
				    __be16 port)
{
	return in6_equal(&entry->address6, address) && entry->port6 == port;
}

/*
 * An entry without a session goes, unless it is static, and its port is free. One
 * that user space has hidden to end it (no flag at all) it collects itself.
 */
SUBPROG int bib_collect(__u32 index, __u64 now)
{
	struct bib_entry *entry = bpf_map_lookup_elem(&bib, &index);
	struct bib6_key key6 = {};
	struct bib4_key key4 = {};
	struct nat64_state *s;
	__u32 *at;

	if (dry_run || !entry || (entry->flags & (BIB_IN_USE | BIB_STATIC)) != BIB_IN_USE)
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
	/* The keys of an ended one, or of one that had to make way, may be another's by now. */
	at = bpf_map_lookup_elem(&bib6, &key6);
	if (at && *at == index)
		bpf_map_delete_elem(&bib6, &key6);
	at = bpf_map_lookup_elem(&bib4, &key4);
	if (at && *at == index)
		bpf_map_delete_elem(&bib4, &key4);
	if (!entry->block)
		log_bib(entry, LOG_BIB_DELETED, now);
	block_put(entry->block, entry->client, entry->proto, now);
	entry->flags = 0;
	give_slot(&free_bib, index);
	s = state();
	if (s)
		add(&s->bib_count, -1);
	return 0;
}

/* A session of the entry, or what was to become one, is gone. */
static __always_inline int bib_release(__u32 index, __u64 now)
{
	struct bib_entry *entry = bpf_map_lookup_elem(&bib, &index);

	return entry && release(&entry->refs) ? bib_collect(index, now) : 0;
}

/*
 * The i-th port to try in a range: from `start` on, round. UDP keeps the port's
 * parity (RFC 6146 section 3.5.1.1) where the range has one of it.
 */
static __always_inline __u32 port_candidate(__u32 first, __u32 last, __u32 port6, bool udp,
					    __u32 start, __u32 i)
{
	__u32 size = last - first + 1, other = (first ^ port6) & 1, fit;

	if (!udp || size < 2)
		return first + (start + i) % size;
	fit = (size - other + 1) / 2;
	if (i < fit)
		return first + other + (start + i) % fit * 2;
	return first + (other ^ 1) + (start + i) % (size - fit) * 2;
}

/*
 * Claims a free port from `ports` (first << 16 | last) of the entry's address:
 * whoever enters bib4 first has it; a dry run only looks which one is free. A range
 * of an address's whole is drawn from at random, a block is walked through from a
 * random place on.
 */
SUBPROG int claim_port(struct bib_entry *entry, __u32 index, __u32 ports, bool block)
{
	struct bib4_key key = {};
	__u32 i, first = ports >> 16, last = ports & 0xffff, start, size = last - first + 1;
	__u32 value = index;

	if (!entry || !first || last < first)
		return POOL4_EXHAUSTED;
	key.address = entry->address4;
	key.proto = entry->proto;
	start = bpf_get_prandom_u32() & 0xffff;
	for (i = 0; i < MAX_BLOCK_TRIES; i++) {
		barrier(); /* else a loop closed by falling through, which Linux 6.1 refuses */
		if (i >= (block ? size : MAX_PORT_TRIES))
			break;
		if (!block)
			start = bpf_get_prandom_u32() & 0xffff;
		key.port = bpf_htons(port_candidate(first, last, bpf_ntohs(entry->port6),
						    entry->proto == BIB_UDP, start, i));
		entry->port4 = key.port;
		if (dry_run) {
			if (!bpf_map_lookup_elem(&bib4, &key))
				return GO_ON;
		} else if (!bpf_map_update_elem(&bib4, &key, &value, BPF_NOEXIST)) {
			return GO_ON;
		}
	}
	return POOL4_EXHAUSTED;
}

/* One client keeps one address while it has room (paired pooling, RFC 4787 REQ-2). */
static __always_inline __u32 home_range(const struct in6_addr *a, __u32 count)
{
	__u32 h = a->s6_addr32[0] ^ a->s6_addr32[1] ^ a->s6_addr32[2] ^ a->s6_addr32[3];

	h ^= h >> 16;
	h *= 0x45d9f3bU;
	h ^= h >> 16;
	return h % count;
}

/* A port of a block that the entry holds; without one there it does not hold it any more. */
static __always_inline int claim_in_block(struct bib_entry *entry, __u32 index, __u32 block_number)
{
	struct port_block *block = block_at(block_number);
	__u32 proto;

	if (!block)
		return POOL4_EXHAUSTED;
	proto = entry->proto & 3;
	entry->address4 = block->address;
	if (proto < BIB_PROTO_COUNT &&
	    claim_port(entry, index, (__u32)block->first << 16 | block->last, true) == GO_ON) {
		add(&block->used[proto], 1);
		entry->block = block_number;
		return GO_ON;
	}
	release(&block->refs);
	return POOL4_EXHAUSTED;
}

/* A port of the blocks that the client has. `group_proto`: the pool group, then enum bib_proto. */
SUBPROG int claim_of_client(struct bib_entry *entry, __u32 index, __u32 group_proto)
{
	struct client *client;
	__u32 i, number;

	if (!entry)
		return POOL4_EXHAUSTED;
	client = client_at(entry->client);
	if (!client)
		return POOL4_EXHAUSTED;
	for (i = 0; i < MAX_CLIENT_BLOCKS; i++) {
		struct port_block *block;

		barrier_var(i);
		if (i >= MAX_CLIENT_BLOCKS)
			break;
		number = client->blocks[i];
		block = block_at(number);
		if (!block ||
		    !block_serves(block, entry->client, group_proto & 0xff, group_proto >> 8))
			continue;
		if (!hold(&block->refs))
			continue;
		/* It may have been given back, and be another client's since. */
		if (!block_serves(block, entry->client, group_proto & 0xff, group_proto >> 8)) {
			release(&block->refs);
			continue;
		}
		if (claim_in_block(entry, index, number) == GO_ON)
			return GO_ON;
	}
	return POOL4_EXHAUSTED;
}

/* A port of a new block for the client, out of the range at `at`. */
static __always_inline int claim_new_block(struct work *w, struct bib_entry *entry, __u32 index,
					   __u32 at, __u32 shift_group)
{
	struct pool_range *range = bpf_map_lookup_elem(&pool4, &at);
	__u32 number, ports;

	if (dry_run) {
		ports = block_would(entry->client, at, shift_group & 0xff);
		if (!range || !ports)
			return POOL4_EXHAUSTED;
		w->would.ports = (__u32)range->first << 16 | range->last;
		w->would.new_block = 1;
		entry->address4 = range->address;
		return claim_port(entry, index, ports, true);
	}
	number = block_take(entry->client, at, shift_group, w->now);
	return number ? claim_in_block(entry, index, number) : POOL4_EXHAUSTED;
}

/* A port from the pool: of the client's blocks, of a new block, or of the whole range. */
static __always_inline int claim_from_pool(struct work *w, struct bib_entry *entry,
					   struct nat64_config *cfg, __u32 index)
{
	__u32 i, home, proto, group;
	int reason = POOL4_EXHAUSTED;

	group = w->group & (MAX_GROUPS - 1);
	proto = entry->proto & 3;
	if (!cfg->groups[group].count)
		return POOL4_EXHAUSTED;
	if (cfg->block_shift) {
		reason = claim_of_client(entry, index, group << 8 | proto);
		if (reason == GO_ON)
			return reason;
	}
	home = home_range(&w->client.address, cfg->groups[group].count);
	for (i = 0; i < MAX_RANGE_TRIES && reason != GO_ON; i++) {
		struct pool_range *range;
		__u32 at;

		barrier_var(i);
		if (i >= cfg->groups[group].count)
			break;
		at = cfg->groups[group].first + (home + i) % cfg->groups[group].count;
		range = bpf_map_lookup_elem(&pool4, &at);
		if (!range || !(range->flags & POOL_PROTO << proto))
			continue;
		if (cfg->block_shift) {
			reason =
				claim_new_block(w, entry, index, at, group << 8 | cfg->block_shift);
			continue;
		}
		entry->address4 = range->address;
		w->would.ports = (__u32)range->first << 16 | range->last;
		reason = claim_port(entry, index, (__u32)range->first << 16 | range->last, false);
	}
	return reason;
}

/* Where the new entry of that index lies: a dry run's is its own. */
static __always_inline struct bib_entry *new_entry(struct work *w, __u32 index)
{
	if (dry_run)
		return index == NONE ? 0 : &w->would.entry;
	return bpf_map_lookup_elem(&bib, &index);
}

/*
 * A new entry, which has its port already, is found by its host's address too. In a
 * function of its own for the stack: Linux 6.1 counts the frames of a whole chain of
 * calls, and bib_create is in the longest.
 */
SUBPROG int bib_enter6(const struct bib_entry *entry, __u32 index)
{
	struct bib6_key key6 = {};
	struct bib4_key key4 = {};
	__u32 value = index;

	if (!entry)
		return HELPER_FAILED;
	if (dry_run)
		return GO_ON;
	key6.address = entry->address6;
	key6.port = entry->port6;
	key6.proto = entry->proto;
	key6.pref64 = entry->pref64;
	if (!bpf_map_update_elem(&bib6, &key6, &value, BPF_NOEXIST))
		return GO_ON;
	key4.address = entry->address4;
	key4.port = entry->port4;
	key4.proto = entry->proto;
	bpf_map_delete_elem(&bib4, &key4);
	return TABLE_FULL; /* or another CPU was first: the caller looks again */
}

/*
 * A new dynamic entry for the source of w->p, held once; w->bib is its index. The
 * client may have as many ports as its limit says.
 */
SUBPROG int bib_create(struct work *w, struct nat64_config *cfg, __u32 proto)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct nat64_state *s = state();
	struct bib_entry *entry;
	struct client *client;
	__u32 index, number;
	int reason;

	proto &= 3;
	if (!s || proto >= BIB_PROTO_COUNT)
		return POOL4_EXHAUSTED;
	number = client_get(&w->client);
	client = client_at(number);
	if (!client)
		return TABLE_FULL;
	if (cfg->client_ports && client->ports[proto] >= cfg->client_ports) {
		release(&client->refs);
		return CLIENT_PORTS;
	}
	index = take_slot(&free_bib, &s->bib_used_to, bib_limit);
	entry = new_entry(w, index);
	if (!entry) {
		release(&client->refs);
		return TABLE_FULL;
	}
	add(&client->ports[proto], 1);
	entry->address6 = w->p.src6;
	entry->port6 = w->p.sport;
	entry->proto = proto;
	entry->pref64 = w->pref64;
	entry->created_ns = w->now;
	entry->client = number;
	entry->block = 0;
	hold_first(&entry->refs);
	entry->flags = BIB_IN_USE;

	reason = claim_from_pool(w, entry, cfg, index);
	if (reason != GO_ON) {
		block_put(entry->block, number, proto, w->now);
		entry->flags = 0;
		unhold_first(&entry->refs);
		give_slot(&free_bib, index);
		return reason;
	}
	if (!entry->block)
		log_bib(entry, LOG_BIB_CREATED, w->now);
	add(&s->bib_count, 1);
	reason = bib_enter6(entry, index);
	if (reason != GO_ON) {
		/* From outside it may have been found, and have a session: the last one ends it. */
		entry->flags = BIB_IN_USE | BIB_ENDED;
		bib_release(index, w->now);
		return reason;
	}
	if (!dry_run)
		w->bib = index;
	return GO_ON;
}

#endif
