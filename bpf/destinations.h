/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IPv4 destinations that are closed, whatever IPv6 address stands for them. */
#ifndef V6N_DESTINATIONS_H
#define V6N_DESTINATIONS_H

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_STATIC);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct destination_key);
	__type(value, __u32);
} destinations4 SEC(".maps");

/* Non-global, and not opened by the operator. */
static __always_inline bool refused4(__be32 address)
{
	struct destination_key key = {.prefixlen = 32, .address = address};
	__u32 *value = bpf_map_lookup_elem(&destinations4, &key);

	return value && *value;
}

#endif
