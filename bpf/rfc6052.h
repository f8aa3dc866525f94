/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IPv4 addresses in IPv6 addresses (RFC 6052 section 2.2), for all six prefix lengths. */
#ifndef V6N_RFC6052_H
#define V6N_RFC6052_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/in6.h>
#include <stdbool.h>

#include "abi.h"

#define U_OCTET 8 /* bits 64 to 71: zero unless the prefix covers them */

static __always_inline bool in6_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return a->s6_addr32[0] == b->s6_addr32[0] && a->s6_addr32[1] == b->s6_addr32[1] &&
	       a->s6_addr32[2] == b->s6_addr32[2] && a->s6_addr32[3] == b->s6_addr32[3];
}

/* Whether the address lies in the prefix; lengths are multiples of eight. */
static __always_inline bool pref64_covers(const struct pref64 *pref64, const struct in6_addr *a)
{
	const __u8 *p = pref64->prefix.s6_addr;

	if (a->s6_addr32[0] != pref64->prefix.s6_addr32[0])
		return false;
	switch (pref64->len) {
	case 96:
		return a->s6_addr32[1] == pref64->prefix.s6_addr32[1] &&
		       a->s6_addr32[2] == pref64->prefix.s6_addr32[2];
	case 64: return a->s6_addr32[1] == pref64->prefix.s6_addr32[1];
	case 56: return a->s6_addr16[2] == pref64->prefix.s6_addr16[2] && a->s6_addr[6] == p[6];
	case 48: return a->s6_addr16[2] == pref64->prefix.s6_addr16[2];
	case 40: return a->s6_addr[4] == p[4];
	case 32: return true;
	}
	return false;
}

static __always_inline __be32 four_bytes(__u8 a, __u8 b, __u8 c, __u8 d)
{
	return bpf_htonl((__u32)a << 24 | (__u32)b << 16 | (__u32)c << 8 | d);
}

/* The IPv4 address in an address of the prefix; false where the u octet is not zero. */
static __always_inline bool pref64_extract(const struct pref64 *pref64, const struct in6_addr *a,
					   __be32 *v4)
{
	const __u8 *b = a->s6_addr;

	if (pref64->len == 96) {
		*v4 = a->s6_addr32[3];
		return true;
	}
	if (b[U_OCTET])
		return false;
	switch (pref64->len) {
	case 64: *v4 = four_bytes(b[9], b[10], b[11], b[12]); return true;
	case 56: *v4 = four_bytes(b[7], b[9], b[10], b[11]); return true;
	case 48: *v4 = four_bytes(b[6], b[7], b[9], b[10]); return true;
	case 40: *v4 = four_bytes(b[5], b[6], b[7], b[9]); return true;
	case 32: *v4 = a->s6_addr32[1]; return true;
	}
	return false;
}

/* The address that stands for an IPv4 address in the prefix; suffix zero. */
static __always_inline void pref64_embed(const struct pref64 *pref64, __be32 v4, struct in6_addr *a)
{
	__u32 host = bpf_ntohl(v4);
	__u8 b0 = host >> 24, b1 = host >> 16, b2 = host >> 8, b3 = host;

	*a = pref64->prefix;
	switch (pref64->len) {
	case 96: a->s6_addr32[3] = v4; break;
	case 64:
		a->s6_addr[9] = b0;
		a->s6_addr[10] = b1;
		a->s6_addr[11] = b2;
		a->s6_addr[12] = b3;
		break;
	case 56:
		a->s6_addr[7] = b0;
		a->s6_addr[9] = b1;
		a->s6_addr[10] = b2;
		a->s6_addr[11] = b3;
		break;
	case 48:
		a->s6_addr[6] = b0;
		a->s6_addr[7] = b1;
		a->s6_addr[9] = b2;
		a->s6_addr[10] = b3;
		break;
	case 40:
		a->s6_addr[5] = b0;
		a->s6_addr[6] = b1;
		a->s6_addr[7] = b2;
		a->s6_addr[9] = b3;
		break;
	case 32: a->s6_addr32[1] = v4; break;
	}
}

#endif
