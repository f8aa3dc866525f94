/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Later fragments have no ports: they follow what the first one decided. The
 * kernel's defragmentation in front of the translator (nf_defrag) hands fragments
 * over in order and without overlaps, so the first has always been seen; the
 * table is bounded, the least recently used datagram makes room.
 */
#ifndef V6N_FRAGMENT_H
#define V6N_FRAGMENT_H

#include "answer.h"
#include "bib.h"

#define FRAGMENT_LIFETIME_NS (30 * SECOND_NS) /* RFC 6146 FRAGMENT_MIN is 2 s; Linux waits 30 s */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_FRAGMENTS);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps");

static __always_inline void fragment_key(struct fragment_key *key, const struct packet *p,
					 bool from6)
{
	__builtin_memset(key, 0, sizeof(*key));
	if (from6) {
		key->source = p->src6;
		key->destination = p->dst6;
		key->family = 6;
	} else {
		key->source.s6_addr32[3] = p->src4;
		key->destination.s6_addr32[3] = p->dst4;
		key->family = 4;
	}
	key->id = p->id;
	key->proto = p->proto;
}

SUBPROG int fragment_remember(struct work *w, bool from6, __u32 verdict)
{
	if (!w)
		return HELPER_FAILED;

	struct fragment value = {.deadline_ns = w->now + FRAGMENT_LIFETIME_NS,
				 .bib = w->bib,
				 .verdict = verdict,
				 .pref64 = w->pref64};
	struct fragment_key key;

	if (dry_run)
		return GO_ON;
	fragment_key(&key, &w->p, from6);
	bpf_map_update_elem(&fragments, &key, &value, BPF_ANY);
	return GO_ON;
}

/* GO_ON with w->bib and w->hairpin set, REASON_COUNT for the slow path, or a reason to drop. */
SUBPROG int fragment_recall(struct work *w, bool from6)
{
	if (!w)
		return HELPER_FAILED;

	struct fragment_key key;
	struct fragment *value;

	fragment_key(&key, &w->p, from6);
	value = bpf_map_lookup_elem(&fragments, &key);
	if (!value || w->now >= value->deadline_ns)
		return FRAGMENT_NO_FIRST;
	if (value->verdict == FRAGMENT_SLOW)
		return REASON_COUNT;
	if (value->verdict != FRAGMENT_TRANSLATE && value->verdict != FRAGMENT_HAIRPIN)
		return FRAGMENT_OF_DROPPED;
	w->hairpin = value->verdict == FRAGMENT_HAIRPIN;
	w->bib = value->bib;
	w->pref64 = value->pref64;
	return GO_ON;
}

#endif
