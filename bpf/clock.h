/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time: coarse, because a session's deadline needs no better and a precise clock costs per packet. */
#ifndef V6N_CLOCK_H
#define V6N_CLOCK_H

#include <bpf/bpf_helpers.h>
#include <linux/types.h>

#define SECOND_NS 1000000000ULL

static __always_inline __u64 now_ns(__u64 offset_ns)
{
	return bpf_ktime_get_coarse_ns() + offset_ns;
}

#endif
