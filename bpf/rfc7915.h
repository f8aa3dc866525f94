/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing the translated packet (RFC 7915). Everything was parsed and mapped
 * before: struct packet holds both families' addresses and the new ports. From
 * the first write on a failure drops the packet (HELPER_FAILED).
 */
#ifndef V6N_RFC7915_H
#define V6N_RFC7915_H

#include "csum.h"
#include "icmp.h"
#include "parse.h"

#define MAX_TTL 255
#define DF_ABOVE 1260U		/* RFC 7915 section 5.1: larger translated packets get DF */
#define MIN_EXTENDED_QUOTE 128U /* RFC 4884 section 4 */
#define EXTENSION_ROOM 2048U /* a power of two above what an ICMPv6 error leaves for extensions */

#define UDP_HEADER 8
#define TCP_CHECK_OFFSET 16
#define UDP_CHECK_OFFSET 6
#define ICMP_CHECK_OFFSET 2

enum { HOP_ADD_ONE = 1, WAS_REASSEMBLED = 2 };

/* The kernel decrements before and after: adding one makes the node one hop. */
static __always_inline __u8 hop(__u8 ttl, __u32 flags)
{
	return (flags & HOP_ADD_ONE) && ttl < MAX_TTL ? ttl + 1 : ttl;
}

/* The address part of a pseudo-header, from one family to the other, as bpf_csum_diff gives it. */
static __always_inline __s64 address_diff(const struct packet *p, bool to4)
{
	struct {
		struct in6_addr src, dst;
	} six = {p->src6, p->dst6};
	__be32 four[2] = {p->src4, p->dst4};

	return to4 ? bpf_csum_diff((__be32 *)&six, sizeof(six), four, sizeof(four), 0)
		   : bpf_csum_diff(four, sizeof(four), (__be32 *)&six, sizeof(six), 0);
}

/* Ports and checksum of TCP and UDP. In a quote the checksum may be cut off. */
SUBPROG int write_ports(struct __sk_buff *skb, struct packet *p, bool to4)
{
	if (!p)
		return HELPER_FAILED;

	__u32 check = p->l4 + (p->proto == IPPROTO_TCP ? TCP_CHECK_OFFSET : UDP_CHECK_OFFSET);
	__u64 mangled = p->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__be16 ports[2] = {p->new_sport, p->new_dport};
	__s64 diff;

	if (check + 2 <= p->l4 + p->l4_here) {
		diff = address_diff(p, to4);
		if (diff < 0 ||
		    bpf_l4_csum_replace(skb, check, 0, diff, BPF_F_PSEUDO_HDR | mangled))
			return HELPER_FAILED;
		if (p->sport != p->new_sport &&
		    bpf_l4_csum_replace(skb, check, p->sport, p->new_sport, 2 | mangled))
			return HELPER_FAILED;
		if (p->dport != p->new_dport &&
		    bpf_l4_csum_replace(skb, check, p->dport, p->new_dport, 2 | mangled))
			return HELPER_FAILED;
	}
	if (p->sport == p->new_sport && p->dport == p->new_dport)
		return GO_ON;
	if (bpf_skb_store_bytes(skb, p->l4, ports, sizeof(ports), 0))
		return HELPER_FAILED;
	return GO_ON;
}

/* Type, identifier and checksum of an echo; ICMPv6 has a pseudo-header, ICMP none. */
SUBPROG int write_echo(struct __sk_buff *skb, struct packet *p, bool to4)
{
	if (!p)
		return HELPER_FAILED;

	struct {
		struct in6_addr src, dst;
		__be32 len, proto;
	} pseudo = {p->src6, p->dst6, bpf_htonl(p->l4_len), bpf_htonl(IPPROTO_ICMPV6)};
	__u8 old[4], header[4];
	__s64 diff;

	if (bpf_skb_load_bytes(skb, p->l4, old, sizeof(old)))
		return HELPER_FAILED;
	old[2] = old[3] = 0;
	header[0] = p->icmp_type;
	header[1] = p->icmp_code;
	header[2] = header[3] = 0;
	diff = bpf_csum_diff((__be32 *)old, sizeof(old), (__be32 *)header, sizeof(header), 0);
	if (diff < 0)
		return HELPER_FAILED;
	diff = to4 ? bpf_csum_diff((__be32 *)&pseudo, sizeof(pseudo), 0, 0, diff)
		   : bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof(pseudo), diff);
	if (diff < 0 || bpf_l4_csum_replace(skb, p->l4 + ICMP_CHECK_OFFSET, 0, diff, 0))
		return HELPER_FAILED;
	if (p->sport != p->new_sport &&
	    bpf_l4_csum_replace(skb, p->l4 + ICMP_CHECK_OFFSET, p->sport, p->new_sport, 2))
		return HELPER_FAILED;
	if (bpf_skb_store_bytes(skb, p->l4, header, 2, 0) ||
	    bpf_skb_store_bytes(skb, p->l4 + 4, &p->new_sport, 2, 0))
		return HELPER_FAILED;
	return GO_ON;
}

/* UDP without checksum is summed up to its own length, which must agree with the packet's. */
static __always_inline int check_udp0(const struct packet *p)
{
	if (p->proto != IPPROTO_UDP || !first_or_whole(p) || p->l4_check)
		return GO_ON;
	return p->udp_len < UDP_HEADER || p->udp_len > p->l4_len ? BAD_HEADER : GO_ON;
}

/* It gets a checksum, as IPv6 asks for (RFC 7915 section 4.5); the packet is whole. */
SUBPROG int write_udp_checksum(struct __sk_buff *skb, struct packet *p)
{
	if (!p)
		return HELPER_FAILED;

	__be16 ports[2] = {p->new_sport, p->new_dport};
	__u64 sum;
	__u16 check;

	if (bpf_skb_store_bytes(skb, p->l4, ports, sizeof(ports), 0))
		return HELPER_FAILED;
	sum = pseudo6(&p->src6, &p->dst6, p->udp_len, IPPROTO_UDP) +
	      sum_range(skb, p->l4, p->udp_len);
	check = ~fold(sum);
	if (check == 0)
		check = 0xffff;
	if (bpf_skb_store_bytes(skb, p->l4 + UDP_CHECK_OFFSET, &check, 2, 0))
		return HELPER_FAILED;
	return GO_ON;
}

static __always_inline int write_transport(struct __sk_buff *skb, struct packet *p, bool to4,
					   bool quoted)
{
	if (!first_or_whole(p))
		return GO_ON;
	switch (p->proto) {
	case IPPROTO_TCP: return write_ports(skb, p, to4);
	case IPPROTO_UDP:
		if (!to4 && !quoted && p->l4_check == 0)
			return write_udp_checksum(skb, p);
		return write_ports(skb, p, to4);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return write_echo(skb, p, to4);
	}
	return GO_ON; /* all transports are forwarded (RFC 7915 section 4.5) */
}

static __always_inline void header4(struct iphdr *ip, const struct packet *p, __u32 flags, bool gso)
{
	__u32 total = IP_HEADER + p->l4_len;

	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = p->tos;
	ip->tot_len = bpf_htons(total);
	ip->ttl = hop(p->ttl, flags);
	ip->protocol = p->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : p->proto;
	ip->saddr = p->src4;
	ip->daddr = p->dst4;
	if (p->fragment_header) {
		ip->id = bpf_htons(p->id);
		ip->frag_off = bpf_htons(p->fragment_offset >> 3 | (p->more ? IP_MF : 0));
	} else if (flags & WAS_REASSEMBLED || (!gso && total <= DF_ABOVE)) {
		ip->id = bpf_get_prandom_u32();
	} else {
		ip->frag_off = bpf_htons(IP_DF);
	}
	ip->check = ip_check(ip);
}

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

static __always_inline void header6(struct ipv6hdr *ip6, struct fragment_header *frag,
				    const struct packet *p, __u32 flags)
{
	__u8 next = p->proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : p->proto;

	__builtin_memset(ip6, 0, sizeof(*ip6));
	ip6->version = 6;
	ip6->priority = p->tos >> 4;
	ip6->flow_lbl[0] = p->tos << 4;
	ip6->payload_len = bpf_htons(p->l4_len + (p->fragment ? FRAGMENT_HEADER : 0));
	ip6->nexthdr = p->fragment ? IPPROTO_FRAGMENT : next;
	ip6->hop_limit = hop(p->ttl, flags);
	ip6->saddr = p->src6;
	ip6->daddr = p->dst6;
	frag->next = next;
	frag->reserved = 0;
	frag->offset = bpf_htons(p->fragment_offset | (p->more ? IP6_MF : 0));
	frag->id = bpf_htonl(p->id);
}

static __always_inline int store_ethertype(struct __sk_buff *skb, __u16 type)
{
	__be16 proto = bpf_htons(type);

	return bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &proto, 2, 0);
}

/* A packet that is no ICMP error. */
SUBPROG int write_6to4(struct __sk_buff *skb, struct packet *p, __u32 flags)
{
	if (!p)
		return HELPER_FAILED;

	__s32 extensions = p->l4 - p->l3 - IP6_HEADER;
	struct iphdr ip;
	int reason;

	header4(&ip, p, flags, skb->gso_size != 0);
	reason = write_transport(skb, p, true, false);
	if (reason != GO_ON)
		return reason;
	if (extensions > 0 &&
	    bpf_skb_adjust_room(skb, -extensions, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
		return HELPER_FAILED;
	if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) || store_ethertype(skb, ETH_P_IP) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0))
		return HELPER_FAILED;
	return TRANSLATED_6TO4;
}

SUBPROG int write_4to6(struct __sk_buff *skb, struct packet *p, __u32 flags)
{
	if (!p)
		return HELPER_FAILED;

	struct {
		struct ipv6hdr ip6;
		struct fragment_header frag;
	} h;
	__s32 options = p->l4 - p->l3 - IP_HEADER;
	__u32 len = sizeof(h.ip6);
	int reason;

	header6(&h.ip6, &h.frag, p, flags);
	reason = write_transport(skb, p, false, false);
	if (reason != GO_ON)
		return reason;
	if (options > 0 &&
	    bpf_skb_adjust_room(skb, -options, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
		return HELPER_FAILED;
	if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0) || store_ethertype(skb, ETH_P_IPV6))
		return HELPER_FAILED;
	if (p->fragment) {
		if (bpf_skb_adjust_room(skb, FRAGMENT_HEADER, BPF_ADJ_ROOM_NET, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
			return HELPER_FAILED;
		return TRANSLATED_4TO6;
	}
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &h.ip6, len, 0))
		return HELPER_FAILED;
	return TRANSLATED_4TO6;
}

/*
 * An ICMP error: its checksum must be right before its quote is trusted
 * (RFC 5508 section 4.2), because afterwards it is made anew.
 */
SUBPROG int check_error6(struct __sk_buff *skb, struct packet *p)
{
	if (!p)
		return HELPER_FAILED;

	if (fold(pseudo6(&p->src6, &p->dst6, p->l4_len, IPPROTO_ICMPV6) +
		 sum_range(skb, p->l4, p->l4_len)) != 0xffff)
		return BAD_CHECKSUM;
	return GO_ON;
}

SUBPROG int check_error4(struct __sk_buff *skb, struct packet *p)
{
	if (!p)
		return HELPER_FAILED;

	if (fold(sum_range(skb, p->l4, p->l4_len)) != 0xffff)
		return BAD_CHECKSUM;
	return GO_ON;
}

/* Extensions of the error that is being translated, while the packet changes its length. */
struct extension_bytes {
	__u8 bytes[EXTENSION_ROOM];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct extension_bytes);
} extension_bytes SEC(".maps");

/* The body of a translated error behind the quoted headers: their data, zeros, extensions. */
struct error_body {
	__u32 data;
	__u32 padding;
	__u32 extensions;
	__u32 length; /* of RFC 4884, in words; 0 without extensions */
};

/*
 * In `room` bytes. The quote gives way to the extensions, down to the 128 bytes
 * that RFC 4884 section 4 asks for; then these are cut (RFC 7915 section 4.2).
 * `head`: the quoted packet's translated headers; `word` of the length attribute.
 */
static __always_inline void plan_body(struct error_body *body, const struct packet *q, __u32 head,
				      __u32 extensions, __u32 room, __u32 word)
{
	__u32 quote = head + q->l4_here, padded;

	if (extensions > room - MIN_EXTENDED_QUOTE)
		extensions = room - MIN_EXTENDED_QUOTE;
	if (extensions)
		room = (room - extensions) / word * word;
	if (quote > room)
		quote = room;
	padded = extensions ? (quote + word - 1) / word * word : quote;
	if (extensions && padded < MIN_EXTENDED_QUOTE)
		padded = MIN_EXTENDED_QUOTE;
	body->data = quote - head;
	body->padding = padded - quote;
	body->extensions = extensions;
	body->length = extensions ? padded / word : 0;
}

/* The extensions out of the packet, before its length changes, and what follows the quote off. */
SUBPROG int take_extensions(struct __sk_buff *skb, const struct packet *p, __u32 n, __u32 quote_end)
{
	__u32 zero = 0, from;
	struct extension_bytes *saved = bpf_map_lookup_elem(&extension_bytes, &zero);

	if (!p || !saved)
		return HELPER_FAILED;
	from = p->l4 + p->l4_len - p->extensions;
	if (n) {
		/* Linux 6.1 derives bounds from arithmetic, not from a test for zero. */
		barrier_var(n);
		n = ((n - 1) & (EXTENSION_ROOM - 1)) + 1;
		if (bpf_skb_load_bytes(skb, from, saved->bytes, n))
			return HELPER_FAILED;
	}
	if (quote_end < skb->len && bpf_skb_change_tail(skb, quote_end, 0))
		return HELPER_FAILED;
	return GO_ON;
}

/* And back, behind the padding that the longer tail begins with: the kernel fills it with zeros. */
SUBPROG int put_extensions(struct __sk_buff *skb, __u32 n, __u32 at)
{
	__u32 zero = 0;
	struct extension_bytes *saved = bpf_map_lookup_elem(&extension_bytes, &zero);

	if (!saved)
		return HELPER_FAILED;
	if (!n)
		return GO_ON;
	if (bpf_skb_change_tail(skb, at + n, 0))
		return HELPER_FAILED;
	barrier_var(n);
	n = ((n - 1) & (EXTENSION_ROOM - 1)) + 1;
	return bpf_skb_store_bytes(skb, at, saved->bytes, n, 0) ? HELPER_FAILED : GO_ON;
}

/* An ICMPv6 error `p` with its quote `q`, both mapped; icmp_* of `p` are translated already. */
SUBPROG int write_error_6to4(struct __sk_buff *skb, struct packet *p, struct packet *q, __u32 flags)
{
	if (!p || !q)
		return HELPER_FAILED;

	struct {
		struct iphdr outer;
		struct icmp_header icmp;
		struct iphdr quoted;
	} h;
	__u32 old_head = q->l4 - ETH_HLEN, rest;
	struct error_body body;
	__s64 sum;
	int reason;

	plan_body(&body, q, IP_HEADER, p->extensions, MAX_ICMP4_ERROR - IP_HEADER - ICMP_HEADER, 4);
	rest = body.data + body.padding + body.extensions;
	reason = write_transport(skb, q, true, true);
	if (reason == GO_ON)
		reason = take_extensions(skb, p, body.extensions, q->l4 + body.data);
	if (reason != GO_ON)
		return reason;

	header4(&h.quoted, q, 0, false);
	__builtin_memset(&h.icmp, 0, sizeof(h.icmp));
	h.icmp.type = p->icmp_type;
	h.icmp.code = p->icmp_code;
	h.icmp.rest = p->icmp_rest | bpf_htonl(body.length << 16);
	p->l4_len = sizeof(h.icmp) + sizeof(h.quoted) + rest;
	header4(&h.outer, p, flags, false);

	if (bpf_skb_adjust_room(skb, -(__s32)(old_head - sizeof(h) - 20), BPF_ADJ_ROOM_NET, 0) ||
	    bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) || store_ethertype(skb, ETH_P_IP))
		return HELPER_FAILED;
	if (put_extensions(skb, body.extensions, ETH_HLEN + sizeof(h) + body.data + body.padding) !=
	    GO_ON)
		return HELPER_FAILED;
	sum = bpf_csum_diff(0, 0, (__be32 *)&h.icmp, sizeof(h.icmp) + sizeof(h.quoted), 0);
	if (sum < 0)
		return HELPER_FAILED;
	h.icmp.check = ~fold((__u64)sum + sum_range(skb, ETH_HLEN + sizeof(h), rest));
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
		return HELPER_FAILED;
	return TRANSLATED_6TO4;
}

SUBPROG int write_error_4to6(struct __sk_buff *skb, struct packet *p, struct packet *q, __u32 flags)
{
	if (!p || !q)
		return HELPER_FAILED;

	struct {
		struct ipv6hdr outer;
		struct icmp6hdr icmp;
		struct ipv6hdr quoted;
		struct fragment_header frag;
	} h;
	__u32 head = q->fragment ? sizeof(h) : sizeof(h) - FRAGMENT_HEADER;
	bool extensible = p->icmp_type == ICMPV6_TIME_EXCEED || p->icmp_type == ICMPV6_DEST_UNREACH;
	struct fragment_header unused;
	struct error_body body;
	__u32 rest;
	__s32 room;
	__s64 sum;
	int reason;

	plan_body(&body, q, head - IP6_HEADER - ICMP_HEADER, extensible ? p->extensions : 0,
		  MIN_IPV6_MTU - IP6_HEADER - ICMP_HEADER, 8);
	rest = body.data + body.padding + body.extensions;
	reason = write_transport(skb, q, false, true);
	if (reason == GO_ON)
		reason = take_extensions(skb, p, body.extensions, q->l4 + body.data);
	if (reason != GO_ON)
		return reason;

	header6(&h.quoted, &h.frag, q, 0);
	__builtin_memset(&h.icmp, 0, sizeof(h.icmp));
	h.icmp.icmp6_type = p->icmp_type;
	h.icmp.icmp6_code = p->icmp_code;
	h.icmp.icmp6_dataun.un_data32[0] = p->icmp_rest | bpf_htonl(body.length << 24);
	p->l4_len = head - IP6_HEADER + rest;
	header6(&h.outer, &unused, p, flags);

	room = (__s32)head - (__s32)(q->l4 - ETH_HLEN) - 20;
	if ((room && bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_NET, 0)) ||
	    bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0) || store_ethertype(skb, ETH_P_IPV6))
		return HELPER_FAILED;
	if (put_extensions(skb, body.extensions, ETH_HLEN + head + body.data + body.padding) !=
	    GO_ON)
		return HELPER_FAILED;
	sum = q->fragment ? bpf_csum_diff(0, 0, (__be32 *)&h.icmp, 56, 0)
			  : bpf_csum_diff(0, 0, (__be32 *)&h.icmp, 48, 0);
	if (sum < 0)
		return HELPER_FAILED;
	h.icmp.icmp6_cksum =
		~fold((__u64)sum + pseudo6(&p->src6, &p->dst6, p->l4_len, IPPROTO_ICMPV6) +
		      sum_range(skb, ETH_HLEN + head, rest));
	if (q->fragment) {
		if (bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
			return HELPER_FAILED;
	} else if (bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h) - FRAGMENT_HEADER, 0)) {
		return HELPER_FAILED;
	}
	return TRANSLATED_4TO6;
}

#endif
