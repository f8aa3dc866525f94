// SPDX-FileCopyrightText: 2026 The v6native authors
// SPDX-License-Identifier: Apache-2.0
// Puts what a frame carries behind its Ethernet header into the ring buffer log_events, as the NAT64 does with its own.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#define ETHERNET 14
#define RECORD 56

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} log_events SEC(".maps");

SEC("tc")
int inject(struct __sk_buff *skb)
{
	char record[RECORD];

	if (bpf_skb_load_bytes(skb, ETHERNET, record, sizeof(record)))
		return TC_ACT_SHOT;
	return bpf_ringbuf_output(&log_events, record, sizeof(record), 0) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* A record that its maker gave up: readers have to step over it. */
SEC("tc")
int inject_discarded(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&log_events, RECORD, 0);

	if (!record)
		return TC_ACT_SHOT;
	bpf_ringbuf_discard(record, 0);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
