/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP types, codes, pointers and MTUs (RFC 7915 sections 4.2 and 5.2). The
 * functions rewrite icmp_type, icmp_code and icmp_rest of a parsed error into
 * the other family's, or give the reason why it has no translation.
 */
#ifndef V6N_ICMP_H
#define V6N_ICMP_H

#include "parse.h"

#define MIN_IPV6_MTU 1280U
#define MIN_IPV4_MTU 68U
#define MAX_ICMP4_ERROR 576U /* RFC 1812 section 4.3.2.3 */

#define NO_POINTER 0xff

/* RFC 7915 figure 3: the IPv6 header field for a byte of the IPv4 header. */
static const __u8 pointer_4to6[20] = {
	0,	    1,		4, 4, NO_POINTER, NO_POINTER, NO_POINTER, NO_POINTER, 7,  6,
	NO_POINTER, NO_POINTER, 8, 8, 8,	  8,	      24,	  24,	      24, 24,
};

/* RFC 7915 figure 6: the IPv4 header field for a byte of the IPv6 header. */
static const __u8 pointer_6to4[40] = {
	0,  1,	NO_POINTER, NO_POINTER, 2,  2,	9,  8,	12, 12, 12, 12, 12, 12,
	12, 12, 12,	    12,		12, 12, 12, 12, 12, 12, 16, 16, 16, 16,
	16, 16, 16,	    16,		16, 16, 16, 16, 16, 16, 16, 16,
};

/* RFC 1191 section 7.1, those that an IPv6 MTU of 1280 leaves useful; 0 where none is below. */
static __always_inline __u32 plateau_below(__u32 total)
{
	static const __u16 plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492};
	__u32 i;

	for (i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < total)
			return plateaus[i];
	return 0;
}

static __always_inline __u32 least(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* `total`: the length that the quoted packet's header says. */
SUBPROG int icmp_error_4to6(struct packet *p, __u32 total,
			    const struct translation_options *options)
{
	if (!p || !options)
		return HELPER_FAILED;

	__u32 mtu;
	__u8 pointer;

	switch (p->icmp_type) {
	case ICMP_DEST_UNREACH:
		p->icmp_type = ICMPV6_DEST_UNREACH;
		switch (p->icmp_code) {
		case 0:
		case 1:
		case 5:
		case 6:
		case 7:
		case 8:
		case 11:
		case 12: p->icmp_code = 0; break;
		case 2: /* the IPv6 Next Header field */
			p->icmp_type = ICMPV6_PARAMPROB;
			p->icmp_code = 1;
			p->icmp_rest = bpf_htonl(6);
			return GO_ON;
		case 3: p->icmp_code = 4; break;
		case 4:
			mtu = bpf_ntohl(p->icmp_rest) & 0xffff;
			if (mtu == 0)
				mtu = plateau_below(total);
			mtu = least(mtu + 20, least(options->mtu6, options->mtu4 + 20));
			if (mtu < MIN_IPV6_MTU)
				mtu = MIN_IPV6_MTU;
			p->icmp_type = ICMPV6_PKT_TOOBIG;
			p->icmp_code = 0;
			p->icmp_rest = bpf_htonl(mtu);
			return GO_ON;
		case 9:
		case 10:
		case 13:
		case 15: p->icmp_code = 1; break;
		default: return UNKNOWN_ICMP;
		}
		break;
	case ICMP_TIME_EXCEEDED: p->icmp_type = ICMPV6_TIME_EXCEED; break;
	case ICMP_PARAMETERPROB:
		if (p->icmp_code != 0 && p->icmp_code != 2)
			return UNKNOWN_ICMP;
		pointer = bpf_ntohl(p->icmp_rest) >> 24;
		if (pointer >= sizeof(pointer_4to6))
			return UNKNOWN_ICMP;
		pointer = pointer_4to6[pointer];
		if (pointer == NO_POINTER)
			return UNKNOWN_ICMP;
		p->icmp_type = ICMPV6_PARAMPROB;
		p->icmp_code = 0;
		p->icmp_rest = bpf_htonl(pointer);
		return GO_ON;
	default: return UNKNOWN_ICMP;
	}
	p->icmp_rest = 0; /* the length of RFC 4884 is set when the quote has its new one */
	return GO_ON;
}

/* `fragment_header`: the quoted packet has one, by which it grew besides. */
SUBPROG int icmp_error_6to4(struct packet *p, bool fragment_header,
			    const struct translation_options *options)
{
	if (!p || !options)
		return HELPER_FAILED;

	__u32 pointer, mtu, grown = fragment_header ? 20 + FRAGMENT_HEADER : 20;

	switch (p->icmp_type) {
	case ICMPV6_DEST_UNREACH:
		p->icmp_type = ICMP_DEST_UNREACH;
		switch (p->icmp_code) {
		case 0:
		case 2:
		case 3: p->icmp_code = ICMP_HOST_UNREACH; break;
		case 1: p->icmp_code = ICMP_HOST_ANO; break;
		case 4: p->icmp_code = ICMP_PORT_UNREACH; break;
		default: return UNKNOWN_ICMP;
		}
		break;
	case ICMPV6_PKT_TOOBIG:
		mtu = bpf_ntohl(p->icmp_rest);
		mtu = least(mtu, options->mtu6);
		mtu = mtu < MIN_IPV4_MTU + grown ? MIN_IPV4_MTU : mtu - grown;
		mtu = least(mtu, options->mtu4);
		p->icmp_type = ICMP_DEST_UNREACH;
		p->icmp_code = ICMP_FRAG_NEEDED;
		p->icmp_rest = bpf_htonl(mtu);
		return GO_ON;
	case ICMPV6_TIME_EXCEED: p->icmp_type = ICMP_TIME_EXCEEDED; break;
	case ICMPV6_PARAMPROB:
		if (p->icmp_code == 1) {
			p->icmp_type = ICMP_DEST_UNREACH;
			p->icmp_code = ICMP_PROT_UNREACH;
			p->icmp_rest = 0;
			return GO_ON;
		}
		pointer = bpf_ntohl(p->icmp_rest);
		if (p->icmp_code != 0 || pointer >= sizeof(pointer_6to4))
			return UNKNOWN_ICMP;
		pointer = pointer_6to4[pointer];
		if (pointer == NO_POINTER)
			return UNKNOWN_ICMP;
		p->icmp_type = ICMP_PARAMETERPROB;
		p->icmp_rest = bpf_htonl(pointer << 24);
		return GO_ON;
	default: return UNKNOWN_ICMP;
	}
	p->icmp_rest = 0;
	return GO_ON;
}

/*
 * The IPv4 address of an IPv6 router that has none (RFC 6791): of the pool, always
 * the same for the same router, so that a traceroute shows it as one hop.
 */
static __always_inline __be32 lent4(const struct translation_options *options,
				    const struct in6_addr *router, __be32 without_pool)
{
	__u32 h = bpf_ntohl(router->s6_addr32[0] ^ router->s6_addr32[1] ^ router->s6_addr32[2] ^
			    router->s6_addr32[3]);

	if (!options->icmp_pool_size)
		return without_pool;
	h ^= h >> 16;
	h *= 0x45d9f3bU;
	h ^= h >> 16;
	return bpf_htonl(bpf_ntohl(options->icmp_pool) + h % options->icmp_pool_size);
}

/* Echo only; everything else is single-hop or obsolete (RFC 7915 sections 4.2 and 5.2). */
static __always_inline int icmp_query_6to4(struct packet *p)
{
	if (p->icmp_type == ICMPV6_ECHO_REQUEST)
		p->icmp_type = ICMP_ECHO;
	else if (p->icmp_type == ICMPV6_ECHO_REPLY)
		p->icmp_type = ICMP_ECHOREPLY;
	else
		return UNKNOWN_ICMP;
	return GO_ON;
}

static __always_inline int icmp_query_4to6(struct packet *p)
{
	if (p->icmp_type == ICMP_ECHO)
		p->icmp_type = ICMPV6_ECHO_REQUEST;
	else if (p->icmp_type == ICMP_ECHOREPLY)
		p->icmp_type = ICMPV6_ECHO_REPLY;
	else
		return UNKNOWN_ICMP;
	return GO_ON;
}

/*
 * The packet that an ICMP error quotes; what follows it are extensions, if the
 * length attribute says so (RFC 4884 section 4): words of 4 bytes in ICMP, of 8
 * in ICMPv6. An error about an error has no translation.
 */
static __always_inline __u32 quote_end(struct packet *p, __u32 quote)
{
	__u32 end = p->l4 + p->l4_len;

	p->extensions = 0;
	if (quote && ICMP_HEADER + quote < p->l4_len) {
		p->extensions = p->l4_len - ICMP_HEADER - quote;
		end -= p->extensions;
	}
	return end;
}

SUBPROG int parse_quote4(struct __sk_buff *skb, struct packet *p, struct packet *q)
{
	if (!p || !q)
		return HELPER_FAILED;

	bool extensible = p->icmp_type == ICMP_DEST_UNREACH || p->icmp_type == ICMP_TIME_EXCEEDED ||
			  p->icmp_type == ICMP_PARAMETERPROB;
	__u32 words = extensible ? bpf_ntohl(p->icmp_rest) >> 16 & 0xff : 0;
	int reason = parse4(skb, q, p->l4 + ICMP_HEADER, quote_end(p, words * 4), true);

	if (reason != GO_ON || q->proto != IPPROTO_ICMP || !first_or_whole(q))
		return reason;
	return q->icmp_error ? QUOTE_IS_ERROR : icmp_query_4to6(q);
}

SUBPROG int parse_quote6(struct __sk_buff *skb, struct packet *p, struct packet *q)
{
	if (!p || !q)
		return HELPER_FAILED;

	bool extensible = p->icmp_type == ICMPV6_DEST_UNREACH || p->icmp_type == ICMPV6_TIME_EXCEED;
	__u32 words = extensible ? bpf_ntohl(p->icmp_rest) >> 24 : 0;
	int reason = parse6(skb, q, p->l4 + ICMP_HEADER, quote_end(p, words * 8), true);

	if (reason != GO_ON || q->proto != IPPROTO_ICMPV6 || !first_or_whole(q))
		return reason;
	return q->icmp_error ? QUOTE_IS_ERROR : icmp_query_6to4(q);
}

#endif
