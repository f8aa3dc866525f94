/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What user space is told as it happens, by ring buffers: the log of who has which
 * ports, packets that the slow path is to make, and refused packets while somebody
 * watches. Nobody waits for a reader: what finds no room is counted and gone.
 */
#ifndef V6N_EVENTS_H
#define V6N_EVENTS_H

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "config.h"
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22); /* 65,000 lines: a minute without a reader on a busy node */
} log_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} slow_events SEC(".maps");

/* Nothing but the types: so that the object's BTF tells the records of the ring buffers. */
const struct log_event *const volatile log_event_type = 0;
const struct slow_event *const volatile slow_event_type = 0;

/* Where nobody shall know who has which ports, nothing waits in the ring for whoever reads it later. */
static __always_inline bool logs(void)
{
	struct nat64_config *cfg = nat64_settings();

	return cfg && cfg->flags & CONFIG_LOG;
}

/* A port block was taken (`kind` LOG_BLOCK_TAKEN) or given back. */
SUBPROG int log_block(const struct client *client, const struct port_block *block, __u32 kind,
		      __u64 now)
{
	struct log_event *event;

	if (!client || !block || dry_run || !logs())
		return 0;
	event = bpf_ringbuf_reserve(&log_events, sizeof(*event), 0);
	if (!event) {
		count(LOG_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = now;
	event->began_ns = block->taken_ns;
	event->client = client->address;
	event->client_len = client->len;
	event->address4 = block->address;
	event->first = block->first;
	event->last = block->last;
	event->kind = kind;
	event->proto = LOG_ALL_PROTOS;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* A BIB entry outside of any block came or went. */
SUBPROG int log_bib(const struct bib_entry *entry, __u32 kind, __u64 now)
{
	struct log_event *event;

	if (!entry || dry_run || !logs())
		return 0;
	event = bpf_ringbuf_reserve(&log_events, sizeof(*event), 0);
	if (!event) {
		count(LOG_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = now;
	event->began_ns = entry->created_ns;
	event->client = entry->address6;
	event->client_len = 128;
	event->address4 = entry->address4;
	event->first = bpf_ntohs(entry->port4);
	event->last = event->first;
	event->port6 = bpf_ntohs(entry->port6);
	event->kind = kind;
	event->proto = entry->proto;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#endif
