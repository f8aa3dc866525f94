/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Internet checksums (RFC 1071): pseudo-headers, and sums over parts of a packet. */
#ifndef V6N_CSUM_H
#define V6N_CSUM_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/in6.h>
#include <linux/ip.h>

#include "verdict.h"

#define SUM_CHUNK 64U	 /* on the stack, at the end of the longest chain of calls */
#define SUM_CHUNKS 1024U /* the largest IP packet is 65535 bytes */

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* To 32 bits, as the kernel's __wsum. */
static __always_inline __u32 fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u64 sum6(const struct in6_addr *a)
{
	return (__u64)a->s6_addr32[0] + a->s6_addr32[1] + a->s6_addr32[2] + a->s6_addr32[3];
}

struct sum_walk {
	struct __sk_buff *skb;
	__u32 off;
	__u32 left;
	__u64 sum;
};

static long sum_chunk(__u32 i __attribute__((unused)), struct sum_walk *walk)
{
	__u8 chunk[SUM_CHUNK];
	__u32 n = walk->left < SUM_CHUNK ? walk->left : SUM_CHUNK;
	__s64 part;

	if (n == 0 || n > SUM_CHUNK)
		return 1;
	/* Linux 6.1 derives the lower bound from arithmetic, not from the test above. */
	barrier_var(n);
	n = ((n - 1) & (SUM_CHUNK - 1)) + 1;
	if (n < SUM_CHUNK)
		__builtin_memset(chunk, 0, sizeof(chunk));
	if (bpf_skb_load_bytes(walk->skb, walk->off, chunk, n))
		return 1;
	part = bpf_csum_diff(0, 0, (__be32 *)chunk, SUM_CHUNK, 0);
	if (part < 0)
		return 1;
	walk->sum += part;
	walk->off += n;
	walk->left -= n;
	return walk->left == 0;
}

/*
 * The sum over `len` bytes from `off` on, folded to 16 bits, in packet byte order;
 * an even distance from the start of the checksummed data is assumed.
 */
SUBPROG __u32 sum_range(struct __sk_buff *skb, __u32 off, __u32 len)
{
	struct sum_walk walk = {.skb = skb, .off = off, .left = len};

	if (len)
		bpf_loop(SUM_CHUNKS, sum_chunk, &walk, 0);
	return fold(walk.sum);
}

/* The pseudo-header of RFC 8200 section 8.1; not folded. */
static __always_inline __u64 pseudo6(const struct in6_addr *src, const struct in6_addr *dst,
				     __u32 len, __u8 proto)
{
	__u64 sum = bpf_htonl(len);

	sum += bpf_htonl(proto);
	return sum + sum6(src) + sum6(dst);
}

/* The pseudo-header of RFC 9293 section 3.1; not folded. */
static __always_inline __u64 pseudo4(__be32 src, __be32 dst, __u32 len, __u8 proto)
{
	return (__u64)src + dst + bpf_htonl(len) + bpf_htonl(proto);
}

static __always_inline __u16 ip_check(const struct iphdr *ip)
{
	const __u32 *w = (const __u32 *)ip;

	return ~fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

#endif
