/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Refused packets with the reason, as they come, while `v6native trace` watches. */
#ifndef V6N_TRACE_H
#define V6N_TRACE_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>

#include "abi.h"
#include "clock.h"
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} trace_events SEC(".maps");

const struct trace_event *const volatile trace_event_type =
	0; /* for the object's BTF, as in events.h */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_control);
} trace_control SEC(".maps");

struct trace_budget {
	__u64 second;
	__u64 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_budget);
} trace_budget SEC(".maps");

static __always_inline bool may_trace(__u32 rate, __u64 now)
{
	__u32 zero = 0;
	struct trace_budget *budget = bpf_map_lookup_elem(&trace_budget, &zero);

	if (!budget)
		return false;
	if (budget->second != now / SECOND_NS) {
		budget->second = now / SECOND_NS;
		budget->used = 0;
	}
	return budget->used++ < rate;
}

SUBPROG int trace_refusal(struct __sk_buff *skb, __u32 reason, __u32 rate, __u64 now)
{
	__u32 length = skb->len - ETH_HLEN, n = length < TRACE_BYTES ? length : TRACE_BYTES;
	struct trace_event *event;

	if (dry_run || !length)
		return 0;
	event = may_trace(rate, now) ? bpf_ringbuf_reserve(&trace_events, sizeof(*event), 0) : 0;
	if (!event) {
		count(TRACE_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = now;
	event->reason = reason;
	event->ifindex = skb->ifindex;
	event->mark = skb->mark;
	event->length = length;
	event->family = skb->protocol == bpf_htons(ETH_P_IPV6) ? 6 : 4;
	/* Linux 6.1 derives bounds from arithmetic, not from a test for zero. */
	barrier_var(n);
	n = ((n - 1) & (TRACE_BYTES - 1)) + 1;
	if (!bpf_skb_load_bytes(skb, ETH_HLEN, event->packet, n))
		event->captured = n;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void trace(struct __sk_buff *skb, int reason)
{
	struct trace_control *control;
	__u32 zero = 0;
	__u64 now;

	if (!refusals[reason & 127])
		return;
	now = now_ns(0);
	control = bpf_map_lookup_elem(&trace_control, &zero);
	if (control && now < control->until_ns)
		trace_refusal(skb, reason, control->rate, now);
}

#endif
