/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slots of the arrays that hold the state, and the counts of those who use one. A
 * free slot's count is changed, never written: another CPU may be about to take
 * back a hold of what was there before. A dry run finds what it would get, and
 * takes nothing.
 */
#ifndef V6N_SLOTS_H
#define V6N_SLOTS_H

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "abi.h"
#include "verdict.h"

#define NONE 0xffffffffU
#define INSIDE_SHARE 4 /* one in so many sessions cannot be opened from outside */

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

/* A slice of a sweep through an array. */
struct sweep {
	__u64 now;
	__u64 trans_ns;
	__u32 position;
	__u32 used_to;
};

static __always_inline struct nat64_state *state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nat64_state, &zero);
}

/* A slot from the queue of freed ones, else one that was never used. */
static __always_inline __u32 take_slot(void *free, __u32 *used_to, __u32 limit)
{
	__u32 index;

	if (dry_run) {
		if (!bpf_map_peek_elem(free, &index))
			return index;
		return *used_to < limit ? *used_to : NONE;
	}
	if (!bpf_map_pop_elem(free, &index))
		return index;
	index = __sync_fetch_and_add(used_to, 1);
	if (index < limit)
		return index;
	__sync_fetch_and_add(used_to, -1);
	return NONE;
}

/* A slot that was taken is free again. */
static __always_inline void give_slot(void *free, __u32 index)
{
	if (!dry_run)
		bpf_map_push_elem(free, &index, 0);
}

static __always_inline void add(__u32 *number, __u32 by)
{
	if (!dry_run)
		__sync_fetch_and_add(number, by);
}

/* The first user of a slot that is free (dead), or was never used. */
static __always_inline void hold_first(__u32 *refs)
{
	add(refs, *refs & BIB_DEAD_REFS ? 1 - BIB_DEAD_REFS : 1);
}

static __always_inline void unhold_first(__u32 *refs)
{
	add(refs, BIB_DEAD_REFS - 1);
}

/* One more user; false while the slot is being freed. */
static __always_inline bool hold(__u32 *refs)
{
	__u32 before = dry_run ? *refs : __sync_fetch_and_add(refs, 1);

	if (!(before & BIB_DEAD_REFS))
		return true;
	add(refs, -1);
	return false;
}

/* Whether it was the last user. */
static __always_inline bool release(__u32 *refs)
{
	return !dry_run && __sync_fetch_and_add(refs, -1) == 1;
}

#endif
