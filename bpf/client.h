/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients, what each may use at most, and their port blocks (RFC 6888). A client
 * has a slot while it has BIB entries or blocks; a block stays its client's for a
 * while after its last use (RFC 6888 REQ-8), and the sweep gives it back.
 */
#ifndef V6N_CLIENT_H
#define V6N_CLIENT_H

#include "abi.h"
#include "events.h"
#include "parse.h"
#include "rfc6052.h"
#include "slots.h"

#define HOLD_DOWN_NS (120 * 1000000000ULL) /* RFC 6888 REQ-8: no other client's before */
#define MAX_BLOCK_TRIES 256U
#define MAX_BLOCKS_OF_RANGE 4096U /* of 16 ports, the smallest that the file allows */
#define CLIENT_SLICE 256U

/* The loader sets the limits and the maps' sizes before it loads the object. */
const volatile __u32 client_limit = 16384;
const volatile __u32 block_limit = 16384;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct client_key);
	__type(value, __u32);
} client_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct client);
} clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, __u32);
} free_clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct block_key);
	__type(value, __u32);
} block_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct port_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, __u32);
} free_blocks SEC(".maps");

/* The slot behind an index + 1; NULL for 0. */
static __always_inline struct client *client_at(__u32 number)
{
	__u32 index = number - 1;

	return number ? bpf_map_lookup_elem(&clients, &index) : 0;
}

static __always_inline struct port_block *block_at(__u32 number)
{
	__u32 index = number - 1;

	return number ? bpf_map_lookup_elem(&blocks, &index) : 0;
}

static __always_inline bool client_is(const struct client *client, const struct client_key *key)
{
	return client->flags & CLIENT_IN_USE && client->len == key->len &&
	       in6_equal(&client->address, &key->address);
}

/* The client of that key as index + 1; 0: it has no slot. Not held. */
static __always_inline __u32 client_find(const struct client_key *key)
{
	struct client_key own =
		*key; /* Linux 6.1 takes no key out of a global function's argument */
	struct client *client;
	__u32 *index;

	index = bpf_map_lookup_elem(&client_index, &own);
	client = index ? client_at(*index + 1) : 0;
	return client && client_is(client, key) ? *index + 1 : 0;
}

/*
 * The client of that key, held once, as index + 1; 0: the table is full. A dry run
 * gets a free slot for a new one, which has nothing yet, like it.
 */
SUBPROG __u32 client_get(const struct client_key *key)
{
	struct nat64_state *s = state();
	struct client_key own;
	struct client *client;
	__u32 number, index;

	if (!key || !s)
		return 0;
	own = *key;
	number = client_find(key);
	client = client_at(number);
	if (client && hold(&client->refs)) {
		if (client_is(client, key))
			return number;
		release(&client->refs);
	}
	index = take_slot(&free_clients, &s->clients_used_to, client_limit);
	client = bpf_map_lookup_elem(&clients, &index);
	if (!client)
		return 0;
	if (dry_run)
		return index + 1;
	client->address = key->address;
	client->len = key->len;
	hold_first(&client->refs);
	client->flags = CLIENT_IN_USE;
	if (bpf_map_update_elem(&client_index, &own, &index, BPF_NOEXIST)) {
		/* Another CPU made it just now, or the sweep is about to take it away. */
		client->flags = 0;
		unhold_first(&client->refs);
		give_slot(&free_clients, index);
		number = client_find(key);
		client = client_at(number);
		return client && hold(&client->refs) ? number : 0;
	}
	add(&s->client_count, 1);
	return index + 1;
}

/*
 * Whether it may have one more session; then it is counted. `inside`: it opens it
 * itself, which is limited by the second too; what others open leaves it a share.
 */
SUBPROG int client_admit(__u32 number, struct nat64_config *cfg, __u64 now, bool inside)
{
	struct client *client = client_at(number);
	__u64 second = now / 1000000000ULL;
	__u32 most, opened;

	if (!client || !cfg)
		return GO_ON;
	most = cfg->client_sessions;
	if (!inside)
		most -= most / INSIDE_SHARE;
	if (cfg->client_sessions && client->sessions >= most)
		return CLIENT_SESSIONS;
	opened = client->second == second ? client->opened : 0;
	if (inside && cfg->client_rate && opened >= cfg->client_rate)
		return CLIENT_RATE;
	if (dry_run)
		return GO_ON;
	if (client->second != second) {
		client->second = second;
		client->opened = 0;
	}
	if (inside)
		add(&client->opened, 1);
	add(&client->sessions, 1);
	return GO_ON;
}

static __always_inline void client_session_gone(__u32 number)
{
	struct client *client = client_at(number);

	if (client)
		add(&client->sessions, -1);
}

struct block_search {
	__be32 address;
	__u32 slot; /* of the array that is to be its */
	__u32 from; /* where the search begins */
	__u32 base;
	__u32 count;
	__u32 shift;
	__u32 start; /* the first free one */
	__u32 found;
};

/* One block of a range: whoever enters the index first has it. */
static long try_block(__u32 i, struct block_search *search)
{
	__u32 number = search->base + (search->from + i) % search->count;
	struct block_key key = {.address = search->address, .first = number << search->shift};
	__u32 *taken;

	if (i >= search->count)
		return 1;
	if (dry_run) {
		taken = bpf_map_lookup_elem(&block_index, &key);
		search->found = !taken;
	} else {
		search->found =
			!bpf_map_update_elem(&block_index, &key, &search->slot, BPF_NOEXIST);
	}
	search->start = key.first;
	return search->found;
}

/* The ports of a range in the block that begins at `start`. */
static __always_inline void cut_block(struct port_block *block, const struct pool_range *range,
				      __u32 start, __u32 shift)
{
	__u32 last = start + (1U << (shift & 15)) - 1;

	block->first = start < range->first ? range->first : start;
	block->last = last > range->last ? range->last : last;
}

static __always_inline bool search_range(struct block_search *search,
					 const struct pool_range *range, __u32 shift)
{
	search->shift = shift & 15;
	search->address = range->address;
	search->base = range->first >> search->shift;
	search->count = (range->last >> search->shift) - search->base + 1;
	if (range->last < range->first || !range->last || !search->count)
		return false;
	search->from = bpf_get_prandom_u32() % search->count;
	bpf_loop(MAX_BLOCKS_OF_RANGE, try_block, search, 0);
	return search->found;
}

/*
 * A free block of one range for the client, as index + 1, held once for a BIB
 * entry; 0: none is free, or the client has no room for one more.
 */
SUBPROG __u32 block_take(__u32 number, __u32 range_index, __u32 shift_group, __u64 now)
{
	struct pool_range *range = bpf_map_lookup_elem(&pool4, &range_index);
	struct client *client = client_at(number);
	struct block_search search = {};
	struct nat64_state *s = state();
	struct port_block *block;
	__u32 i;

	if (dry_run || !range || !client || !s)
		return 0;
	search.slot = take_slot(&free_blocks, &s->blocks_used_to, block_limit);
	block = bpf_map_lookup_elem(&blocks, &search.slot);
	if (!block)
		return 0;
	if (!search_range(&search, range, shift_group & 0xff)) {
		give_slot(&free_blocks, search.slot);
		return 0;
	}
	block->address = range->address;
	block->start = search.start;
	cut_block(block, range, search.start, shift_group & 0xff);
	block->protos = range->flags & ~POOL_SHARED;
	block->group = shift_group >> 8;
	block->taken_ns = now;
	hold_first(&block->refs);
	block->owner = number;
	for (i = 0; i < MAX_CLIENT_BLOCKS; i++) {
		barrier_var(i);
		if (__sync_val_compare_and_swap(&client->blocks[i & (MAX_CLIENT_BLOCKS - 1)], 0,
						search.slot + 1) == 0) {
			add(&client->refs, 1);
			add(&s->block_count, 1);
			log_block(client, block, LOG_BLOCK_TAKEN, now);
			return search.slot + 1;
		}
	}
	struct block_key key = {.address = search.address, .first = search.start};

	bpf_map_delete_elem(&block_index, &key);
	block->owner = 0;
	unhold_first(&block->refs);
	give_slot(&free_blocks, search.slot);
	return 0;
}

/* For a dry run: the ports of the block that block_take would give, first << 16 | last; 0: none. */
SUBPROG __u32 block_would(__u32 number, __u32 range_index, __u32 shift)
{
	struct pool_range *range = bpf_map_lookup_elem(&pool4, &range_index);
	struct client *client = client_at(number);
	struct block_search search = {};
	struct nat64_state *s = state();
	struct port_block block;
	__u32 i;

	if (!dry_run || !range || !client || !s)
		return 0;
	if (take_slot(&free_blocks, &s->blocks_used_to, block_limit) == NONE)
		return 0;
	for (i = 0; i < MAX_CLIENT_BLOCKS; i++) {
		barrier_var(i);
		if (!client->blocks[i & (MAX_CLIENT_BLOCKS - 1)])
			break;
	}
	if (i == MAX_CLIENT_BLOCKS || !search_range(&search, range, shift))
		return 0;
	cut_block(&block, range, search.start, shift);
	return (__u32)block.first << 16 | block.last;
}

/* Whether an entry of that protocol may come into the block. */
static __always_inline bool block_serves(const struct port_block *block, __u32 number, __u32 proto,
					 __u32 group)
{
	proto &= 3;
	if (proto >= BIB_PROTO_COUNT || block->owner != number || block->group != group)
		return false;
	return block->protos & POOL_PROTO << proto &&
	       block->used[proto] < (__u32)block->last - block->first + 1;
}

/* A BIB entry of the block and its client is gone. */
SUBPROG int block_put(__u32 block_number, __u32 client_number, __u32 proto, __u64 now)
{
	struct port_block *block = block_at(block_number);
	struct client *client = client_at(client_number);

	proto &= 3;
	if (dry_run || proto >= BIB_PROTO_COUNT)
		return 0;
	if (block) {
		add(&block->used[proto], -1);
		block->idle_ns = now;
		release(&block->refs);
	}
	if (client) {
		add(&client->ports[proto], -1);
		release(&client->refs);
	}
	return 0;
}

/* Gives a block back that nobody used for a while; the client has one reference less. */
SUBPROG int block_give_back(struct client *client, __u32 at, __u64 now)
{
	struct nat64_state *s = state();
	struct port_block *block;
	struct block_key key = {};
	__u32 number, index;

	if (dry_run || !client || !s || at >= MAX_CLIENT_BLOCKS)
		return 0;
	number = client->blocks[at];
	block = block_at(number);
	if (!block || block->refs || now < block->idle_ns + HOLD_DOWN_NS)
		return 0;
	if (__sync_val_compare_and_swap(&block->refs, 0, BIB_DEAD_REFS) != 0)
		return 0;
	key.address = block->address;
	key.first = block->start;
	bpf_map_delete_elem(&block_index, &key);
	log_block(client, block, LOG_BLOCK_GIVEN_BACK, now);
	block->owner = 0;
	client->blocks[at] = 0;
	index = number - 1;
	give_slot(&free_blocks, index);
	add(&s->block_count, -1);
	release(&client->refs);
	return 0;
}

/* The blocks of one client, then the client itself. */
SUBPROG int client_collect(__u32 index, __u64 now)
{
	struct client *client = bpf_map_lookup_elem(&clients, &index);
	struct nat64_state *s = state();
	struct client_key key = {};
	__u32 i;

	if (dry_run || !client || !s || !(client->flags & CLIENT_IN_USE))
		return 0;
	for (i = 0; i < MAX_CLIENT_BLOCKS; i++) {
		barrier_var(i);
		if (i < MAX_CLIENT_BLOCKS && client->blocks[i])
			block_give_back(client, i, now);
	}
	if (client->refs || __sync_val_compare_and_swap(&client->refs, 0, BIB_DEAD_REFS) != 0)
		return 0;
	key.address = client->address;
	key.len = client->len;
	bpf_map_delete_elem(&client_index, &key);
	client->flags = 0;
	give_slot(&free_clients, index);
	add(&s->client_count, -1);
	return 0;
}

static long sweep_client(__u32 i, struct sweep *sweep)
{
	client_collect((sweep->position + i) % sweep->used_to, sweep->now);
	return 0;
}

/* One slice of the clients. */
SUBPROG int sweep_clients(__u64 now)
{
	struct nat64_state *s = state();
	struct sweep sweep = {.now = now};
	__u32 n;

	if (dry_run || !s)
		return 0;
	sweep.used_to = s->clients_used_to < client_limit ? s->clients_used_to : client_limit;
	if (!sweep.used_to)
		return 0;
	n = sweep.used_to < CLIENT_SLICE ? sweep.used_to : CLIENT_SLICE;
	sweep.position = s->client_position % sweep.used_to;
	bpf_loop(n, sweep_client, &sweep, 0);
	s->client_position = (sweep.position + n) % sweep.used_to;
	return 0;
}

#endif
