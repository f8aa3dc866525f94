/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exits. A verdict is a reason; counting it is the only way to turn it into a tc action. */
#ifndef V6N_VERDICT_H
#define V6N_VERDICT_H

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include "reasons.h"

#define REASON_ENUM(NAME, KIND, TEXT) NAME,
enum reason { REASONS(REASON_ENUM) REASON_COUNT };

/* What the text of this object's reasons is: user space reads it from .rodata. */
struct reason_text {
	char name[24];
	char kind[12];
	char text[92];
};
_Static_assert(sizeof(struct reason_text) == 128, "reason_text");
#define REASON_TEXT(NAME, KIND, TEXT) {#NAME, #KIND, TEXT},
const struct reason_text reason_texts[REASON_COUNT] SEC(".rodata.reasons") = {REASONS(REASON_TEXT)};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");
_Static_assert(REASON_COUNT <= 128, "counters");

/* Which reasons are refusals: what `v6native trace` shows. */
#define KIND_DONE 0
#define KIND_PASS 0
#define KIND_SLOW 0
#define KIND_NOTE 0
#define KIND_ANSWERED 1
#define KIND_DROP 1
#define REASON_REFUSAL(NAME, KIND, TEXT) KIND_##KIND,
static const __u8 refusals[128] = {REASONS(REASON_REFUSAL)};

/*
 * The loader sets it in a second copy of the programs, which shares the tables with
 * the running one: that copy says what would become of a packet. Every write to a
 * table is behind it, so that the verifier removes them all as dead code; a new BIB
 * entry is made in the copy's own scratch.
 */
const volatile bool dry_run = false;

/*
 * A function that the verifier checks once, for all of its callers (a global
 * function): without it the programs exceed its million instructions. Pointer
 * arguments may be NULL to it, so each is tested.
 */
#define SUBPROG __attribute__((noinline))

static __always_inline void count(enum reason reason)
{
	__u32 key = reason;
	__u64 *value = bpf_map_lookup_elem(&counters, &key);

	if (value)
		(*value)++;
}

static __always_inline int drop(enum reason reason)
{
	count(reason);
	return TC_ACT_SHOT;
}

static __always_inline int pass(enum reason reason)
{
	count(reason);
	return TC_ACT_OK;
}

#endif
