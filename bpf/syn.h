/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may come in from IPv4 (RFC 6146 section 3.5.2.2): SYNs that nobody waits for
 * are kept for TCP_INCOMING_SYN, for a simultaneous open, and answered by the slow
 * path when nobody came; under address-dependent filtering a host is reached only
 * by addresses that it has spoken to.
 */
#ifndef V6N_SYN_H
#define V6N_SYN_H

#include "abi.h"
#include "bib.h"
#include "config.h"
#include "events.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_STORED_SYNS);
	__type(key, struct syn_key);
	__type(value, struct stored_syn);
} stored_syns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct remote_key);
	__type(value, __u32);
} remotes SEC(".maps");

static long next_syn(void *map __attribute__((unused)),
		     const struct syn_key *key __attribute__((unused)),
		     struct stored_syn *syn __attribute__((unused)),
		     void *context __attribute__((unused)))
{
	return 0;
}

/* Keeps a SYN; SYN_STORED, or `otherwise` where there is no room. A repeated one changes nothing. */
SUBPROG int syn_store(struct __sk_buff *skb, struct packet *p, struct nat64_config *cfg, __u64 now,
		      int otherwise)
{
	struct stored_syn value = {};
	struct syn_key key = {};
	__u32 n;

	if (!p || !cfg)
		return HELPER_FAILED;
	key.remote4 = p->src4;
	key.address4 = p->dst4;
	key.remote_port = p->sport;
	key.port4 = p->dport;
	n = p->l4 - p->l3 + 20;
	if (n > SYN_BYTES || !cfg->timeout_ns[TIMER_TCP_INCOMING_SYN])
		return otherwise;
	if (dry_run) /* as many as fit, or a repeated one */
		return bpf_for_each_map_elem(&stored_syns, next_syn, 0, 0) < MAX_STORED_SYNS ||
				       bpf_map_lookup_elem(&stored_syns, &key)
			       ? SYN_STORED
			       : otherwise;
	/* Linux 6.1 derives bounds from arithmetic, not from a test for zero. */
	barrier_var(n);
	n = ((n - 1) & 127) + 1;
	if (n > SYN_BYTES || bpf_skb_load_bytes(skb, p->l3, value.packet, n))
		return otherwise;
	value.len = n;
	value.deadline_ns = now + cfg->timeout_ns[TIMER_TCP_INCOMING_SYN];
	if (bpf_map_update_elem(&stored_syns, &key, &value, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&stored_syns, &key))
		return otherwise;
	return SYN_STORED;
}

/* Whether a SYN of that remote host to the entry was stored; it is not any more. */
SUBPROG int syn_take(const struct bib_entry *entry, __be32 remote4, __be16 remote_port)
{
	struct syn_key key = {};

	if (!entry)
		return 0;
	key.remote4 = remote4;
	key.address4 = entry->address4;
	key.remote_port = remote_port;
	key.port4 = entry->port4;
	if (dry_run)
		return bpf_map_lookup_elem(&stored_syns, &key) != 0;
	return !bpf_map_delete_elem(&stored_syns, &key);
}

struct syn_sweep {
	__u64 now;
	__u32 icmp_rate;
};

/* Nobody came: the slow path answers, where the file lets errors be sent at all (RFC 5382 REQ-4a). */
static long sweep_syn(void *map __attribute__((unused)), const struct syn_key *key,
		      struct stored_syn *syn, struct syn_sweep *sweep)
{
	struct slow_event *event;
	struct syn_key gone = *key;

	if (sweep->now < syn->deadline_ns)
		return 0;
	if (!sweep->icmp_rate)
		goto forget;
	event = bpf_ringbuf_reserve(&slow_events, sizeof(*event), 0);
	if (event) {
		__builtin_memset(event, 0, sizeof(*event));
		event->time_ns = sweep->now;
		event->kind = SLOW_EVENT_SYN;
		event->len = syn->len;
		__builtin_memcpy(event->packet, syn->packet, SYN_BYTES);
		bpf_ringbuf_submit(event, 0);
	} else {
		count(SLOW_EVENT_LOST);
	}
forget:
	bpf_map_delete_elem(&stored_syns, &gone);
	return 0;
}

static __always_inline void sweep_syns(__u64 now, __u32 icmp_rate)
{
	struct syn_sweep sweep = {.now = now, .icmp_rate = icmp_rate};

	if (!dry_run)
		bpf_for_each_map_elem(&stored_syns, sweep_syn, &sweep, 0);
}

/* Whether the entry's host has a session with that address. */
static __always_inline bool remote_known(__u32 bib_index, __be32 remote4)
{
	struct remote_key key = {.bib = bib_index, .remote4 = remote4};
	__u32 *sessions = bpf_map_lookup_elem(&remotes, &key);

	return sessions && *sessions;
}

/* Two CPUs that open and end the last session at once may forget it: the host's next new session mends it. */
SUBPROG int remote_count(__u32 bib_index, __be32 remote4)
{
	struct remote_key key = {.bib = bib_index, .remote4 = remote4};
	__u32 one = 1, *sessions;

	if (dry_run)
		return 0;
	sessions = bpf_map_lookup_elem(&remotes, &key);
	if (sessions)
		__sync_fetch_and_add(sessions, 1);
	else
		bpf_map_update_elem(&remotes, &key, &one, BPF_NOEXIST);
	return 0;
}

SUBPROG int remote_uncount(__u32 bib_index, __be32 remote4)
{
	struct remote_key key = {.bib = bib_index, .remote4 = remote4};
	__u32 *sessions;

	if (dry_run)
		return 0;
	sessions = bpf_map_lookup_elem(&remotes, &key);
	if (sessions && release(sessions))
		bpf_map_delete_elem(&remotes, &key);
	return 0;
}

#endif
