/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The NAT64's settings: two elements, one of them valid, so that a reload changes all at once. */
#ifndef V6N_CONFIG_H
#define V6N_CONFIG_H

#include <bpf/bpf_helpers.h>

#include "abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct nat64_config);
} nat64_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nat64_active SEC(".maps");

static __always_inline struct nat64_config *nat64_settings(void)
{
	__u32 zero = 0, slot, *active = bpf_map_lookup_elem(&nat64_active, &zero);

	if (!active)
		return 0;
	slot = *active & 1;
	return bpf_map_lookup_elem(&nat64_config, &slot);
}

#endif
