/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading an IP packet, the outer one or the one quoted in an ICMP error, into
 * struct packet. Nothing is changed here. Functions give GO_ON or a reason; of an
 * outer packet with a sound IP header they say GO_ON, and `refused` says what else
 * is wrong with it: whose packet it is, is asked first.
 */
#ifndef V6N_PARSE_H
#define V6N_PARSE_H

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>

#include "abi.h"
#include "verdict.h"

#define GO_ON (-1)

#define IP_HEADER 20U
#define IP6_HEADER 40U
#define FRAGMENT_HEADER 8U
#define ICMP_HEADER 8U
#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff
#define IP6_MF 0x0001
#define MAX_PACKET 65535U
#define MAX_EXTENSION_HEADERS 6 /* RFC 8200 section 4.1 lists six before the payload */
#define MAX_IP_OPTIONS 40	/* bytes, and an option may be one byte */

/* ICMP (RFC 792, RFC 1122, RFC 1812): linux/icmp.h cannot be included without a C library. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_HOST_UNREACH 1
#define ICMP_PROT_UNREACH 2
#define ICMP_PORT_UNREACH 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_HOST_ANO 10

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 rest;
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* An IP packet as far as its translation needs it. Offsets count from skb->data. */
struct packet {
	struct in6_addr src6;
	struct in6_addr dst6;
	__be32 src4;
	__be32 dst4;
	__u32 l3;	       /* of the IP header */
	__u32 l4;	       /* of the transport header, or of a later fragment's data */
	__u32 l4_len;	       /* bytes from l4 on that the IP header announces */
	__u32 l4_here;	       /* bytes from l4 on that are present (quotes are cut) */
	__u32 extensions;      /* bytes behind the quote of an ICMP error (RFC 4884) */
	__u32 id;	       /* identification, host order */
	__u32 fragment_offset; /* in bytes */
	__be16 sport;	       /* ICMP queries: the identifier, in both */
	__be16 dport;
	__be16 new_sport; /* after translation, set by the mapping step */
	__be16 new_dport;
	__u8 proto; /* as in the header: ICMP is 1 or 58 */
	__u8 tos;
	__u8 ttl;
	__u8 df;
	__u8 fragment; /* has MF or an offset */
	__u8 more;
	__u8 fragment_header; /* IPv6: one is present, perhaps atomic */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 icmp_error; /* as received: no error is ever sent about one */
	__u16 l4_check;
	__be32 icmp_rest; /* second word of the ICMP header */
	__u32 pointer;	  /* of the header field that an answer blames */
	__u32 udp_len;	  /* as in the UDP header */
	__s32 refused;	  /* why not translated although its IP header is sound, or GO_ON */
};

/* Headers are read and written where they lie; beyond this, or in a page of their own, a helper fetches them. */
#define MAX_DIRECT 0x3fffU

/* `len` is a multiple of four. Byte by byte is what the compiler makes of a copy from a packet. */
static __always_inline void copy_words(void *to, const void *from, const __u32 len)
{
	__u32 i;

	for (i = 0; i < len / 4; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
}

static __always_inline long load_words(struct __sk_buff *skb, __u32 off, void *to, const __u32 len)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (off > MAX_DIRECT || data + off + len > end)
		return bpf_skb_load_bytes(skb, off, to, len);
	copy_words(to, data + off, len);
	return 0;
}

static __always_inline bool first_or_whole(const struct packet *p)
{
	return p->fragment_offset == 0;
}

static __always_inline bool is_icmp4_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

static __always_inline bool is_icmp6_error(__u8 type)
{
	return type < 128;
}

static __always_inline bool is_error(const struct packet *p)
{
	return p->proto == IPPROTO_ICMP ? is_icmp4_error(p->icmp_type)
					: is_icmp6_error(p->icmp_type);
}

static __always_inline int too_short(const struct packet *p, bool quoted)
{
	return quoted ? QUOTE_TOO_SHORT : p->fragment ? FRAGMENT_TOO_SMALL : TRUNCATED;
}

/* Ports, identifier, flags. `quoted`: eight bytes are enough (RFC 792). */
SUBPROG int parse_transport(struct __sk_buff *skb, struct packet *p, bool quoted)
{
	if (!p)
		return HELPER_FAILED;

	__u8 h[20] __attribute__((aligned(4)));

	p->sport = 0;
	p->dport = 0;
	if (!first_or_whole(p))
		return GO_ON;
	switch (p->proto) {
	case IPPROTO_TCP:
		if (p->l4_here < (quoted ? 8 : 20))
			return too_short(p, quoted);
		if (p->l4_here >= 20) {
			if (load_words(skb, p->l4, h, 20))
				return TRUNCATED;
			p->tcp_flags = h[13];
			if (!quoted && (h[12] >> 4) < 5)
				return BAD_HEADER;
		} else if (bpf_skb_load_bytes(skb, p->l4, h, 8)) {
			return TRUNCATED;
		}
		p->sport = *(__be16 *)&h[0];
		p->dport = *(__be16 *)&h[2];
		return GO_ON;
	case IPPROTO_UDP:
		if (p->l4_here < 8)
			return too_short(p, quoted);
		if (load_words(skb, p->l4, h, 8))
			return TRUNCATED;
		p->sport = *(__be16 *)&h[0];
		p->dport = *(__be16 *)&h[2];
		p->udp_len = bpf_ntohs(*(__be16 *)&h[4]);
		p->l4_check = *(__be16 *)&h[6];
		return GO_ON;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		p->icmp_error = 1; /* what does not tell its type may be one */
		if (p->l4_here && !bpf_skb_load_bytes(skb, p->l4, h, 1)) {
			p->icmp_type = h[0];
			p->icmp_error = is_error(p);
		}
		if (p->l4_here < 8)
			return too_short(p, quoted);
		if (bpf_skb_load_bytes(skb, p->l4, h, 8))
			return TRUNCATED;
		p->icmp_code = h[1];
		p->l4_check = *(__be16 *)&h[2];
		p->icmp_rest = *(__be32 *)&h[4];
		p->sport = *(__be16 *)&h[4];
		p->dport = p->sport;
		return GO_ON;
	}
	return GO_ON;
}

static __always_inline bool is_extension6(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

/*
 * What of an IPv6 packet has no IPv4 form: extension headers where a fragment's
 * data should begin (RFC 7915 section 5.1.1), ICMP, which a receiver would take
 * for translated ICMPv6, and 20 bytes more than IPv4 can count.
 */
static __always_inline int refused6(const struct packet *p, bool quoted)
{
	if (is_extension6(p->proto) || (p->fragment && p->proto == IPPROTO_AH))
		return EXTENSION_HEADERS;
	if (p->pointer && !quoted)
		return ROUTING_HEADER;
	if (p->proto == IPPROTO_ICMP)
		return UNKNOWN_PROTOCOL;
	if (IP_HEADER + p->l4_len + p->fragment_offset > MAX_PACKET)
		return BAD_HEADER;
	return GO_ON;
}

/* An IPv6 packet with its extension headers (RFC 8200, RFC 7915 section 5.1), up to `limit`. */
SUBPROG int parse6(struct __sk_buff *skb, struct packet *p, __u32 l3, __u32 limit, bool quoted)
{
	if (!p)
		return HELPER_FAILED;

	struct ipv6hdr ip6;
	__u32 end, present, off = l3 + IP6_HEADER;
	__u8 next, ext[8];
	int i;

	if (off > limit || load_words(skb, l3, &ip6, sizeof(ip6)))
		return quoted ? QUOTE_TOO_SHORT : TRUNCATED;
	if (ip6.version != 6)
		return BAD_HEADER;
	__builtin_memset(p, 0, sizeof(*p));
	p->l3 = l3;
	p->src6 = ip6.saddr;
	p->dst6 = ip6.daddr;
	p->tos = ip6.priority << 4 | ip6.flow_lbl[0] >> 4;
	p->ttl = ip6.hop_limit;
	end = off + bpf_ntohs(ip6.payload_len);
	if (!quoted && end > limit)
		return TRUNCATED;
	present = end < limit ? end : limit;

	next = ip6.nexthdr;
	for (i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		__u32 len;

		if (!is_extension6(next) || (next == IPPROTO_FRAGMENT && p->fragment_header))
			break;
		if (off + 8 > present || bpf_skb_load_bytes(skb, off, ext, 8))
			return quoted ? QUOTE_TOO_SHORT : TRUNCATED;
		if (next == IPPROTO_FRAGMENT) {
			__u16 field = bpf_ntohs(*(__be16 *)&ext[2]);

			p->fragment_header = 1;
			p->fragment_offset = field & 0xfff8;
			p->more = field & IP6_MF;
			p->fragment = p->more || p->fragment_offset;
			p->id = bpf_ntohl(*(__be32 *)&ext[4]);
			len = 8;
		} else {
			if (next == IPPROTO_ROUTING && ext[3] && !p->pointer)
				p->pointer = off - l3 + 3;
			len = ((__u32)ext[1] + 1) * 8;
		}
		next = ext[0];
		off += len;
		if (off > present)
			return quoted ? QUOTE_TOO_SHORT : TRUNCATED;
		if (p->fragment)
			break; /* RFC 7915 section 5.1.1: no extension headers in the fragments */
	}
	p->proto = next;
	p->l4 = off;
	p->l4_len = end - off;
	p->l4_here = present - off;
	p->icmp_error = is_extension6(next); /* an error may stand behind what was not read */
	p->refused = refused6(p, quoted);
	i = p->proto == IPPROTO_ICMP ? GO_ON : parse_transport(skb, p, quoted);
	if (p->refused == GO_ON)
		p->refused = i;
	p->new_sport = p->sport;
	p->new_dport = p->dport;
	return quoted ? p->refused : GO_ON;
}

/* Unexpired source routes are refused (RFC 7915 section 4.1); other options are ignored. */
SUBPROG int parse4_options(struct __sk_buff *skb, __u32 l3, __u32 header)
{
	__u32 off = IP_HEADER;
	__u8 option[3];
	int i;

	for (i = 0; i < MAX_IP_OPTIONS; i++) {
		barrier_var(i); /* else a loop closed by falling through, which Linux 6.1 refuses */
		if (off >= header || bpf_skb_load_bytes(skb, l3 + off, option, 1))
			return GO_ON;
		if (option[0] == 0)
			return GO_ON;
		if (option[0] == 1) {
			off++;
			continue;
		}
		if (off + 2 > header || bpf_skb_load_bytes(skb, l3 + off, option, 2))
			return GO_ON;
		if (option[1] < 2)
			return BAD_HEADER;
		/* RFC 791 section 3.1: the route is used up once the pointer is past the length. */
		if ((option[0] == 131 || option[0] == 137) && off + 3 <= header &&
		    !bpf_skb_load_bytes(skb, l3 + off, option, 3) && option[2] <= option[1])
			return SOURCE_ROUTE;
		off += option[1];
	}
	return GO_ON;
}

/*
 * Numbers that IPv6 reads as headers of its own: copied, they would let an IPv4
 * sender write IPv6 extension headers and ICMPv6 messages that nobody translated.
 * RFC 7915 section 4.5 asks to forward transport protocols; these are none.
 */
static __always_inline bool is_no_transport4(__u8 proto)
{
	return is_extension6(proto) || proto == IPPROTO_ICMPV6;
}

/* An IPv4 packet (RFC 791), up to `limit`. The kernel checked the outer header's checksum. */
SUBPROG int parse4(struct __sk_buff *skb, struct packet *p, __u32 l3, __u32 limit, bool quoted)
{
	if (!p)
		return HELPER_FAILED;

	struct iphdr ip;
	__u32 header, total;
	__u16 field;
	int reason;

	if (l3 + IP_HEADER > limit || load_words(skb, l3, &ip, sizeof(ip)))
		return quoted ? QUOTE_TOO_SHORT : TRUNCATED;
	header = ip.ihl * 4;
	total = bpf_ntohs(ip.tot_len);
	if (ip.version != 4 || header < IP_HEADER || total < header)
		return BAD_HEADER;
	if (l3 + (quoted ? header : total) > limit)
		return quoted ? QUOTE_TOO_SHORT : TRUNCATED;
	__builtin_memset(p, 0, sizeof(*p));
	p->l3 = l3;
	p->l4 = l3 + header;
	p->src4 = ip.saddr;
	p->dst4 = ip.daddr;
	p->tos = ip.tos;
	p->ttl = ip.ttl;
	p->proto = ip.protocol;
	p->id = bpf_ntohs(ip.id);
	field = bpf_ntohs(ip.frag_off);
	p->df = !!(field & IP_DF);
	p->more = !!(field & IP_MF);
	p->fragment_offset = (field & IP_OFFSET) * 8;
	p->fragment = p->more || p->fragment_offset;
	p->l4_len = total - header;
	p->l4_here = l3 + total <= limit ? p->l4_len : limit - p->l4;
	p->refused = GO_ON;
	if (header > IP_HEADER && !quoted)
		p->refused = parse4_options(skb, l3, header);
	if (p->refused == GO_ON && is_no_transport4(p->proto))
		p->refused = UNKNOWN_PROTOCOL;
	reason = is_no_transport4(p->proto) ? GO_ON : parse_transport(skb, p, quoted);
	if (p->refused == GO_ON)
		p->refused = reason;
	p->new_sport = p->sport;
	p->new_dport = p->dport;
	return quoted ? p->refused : GO_ON;
}

/* 0/8, 127/8, multicast, 240/4 (RFC 7915 section 4.1). */
static __always_inline bool bad_source4(__be32 a)
{
	__u8 first = bpf_ntohl(a) >> 24;

	return first == 0 || first == 127 || first >= 224;
}

static __always_inline bool bad_source6(const struct in6_addr *a)
{
	if (a->s6_addr[0] == 0xff || (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0x80))
		return true;
	return !a->s6_addr32[0] && !a->s6_addr32[1] && !a->s6_addr32[2] &&
	       bpf_ntohl(a->s6_addr32[3]) <= 1;
}

#endif
