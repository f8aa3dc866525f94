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
#define DF_ABOVE 1260U /* RFC 7915 section 5.1: larger translated packets get DF */

#define UDP_HEADER 8
#define TCP_CHECK_OFFSET 16
#define UDP_CHECK_OFFSET 6
#define ICMP_CHECK_OFFSET 2

/* Flags of one packet's translation; with OCTET_FLAG the octet above OCTET_SHIFT is the new TOS. */
enum {
	HOP_ADD_ONE = 1,
	WAS_REASSEMBLED = 2,
	FROM_HAIRPIN = 4, /* the translator's own output */
	FROM_NAT64 = 8,	  /* siit: IPv4 that the NAT64 made */
	OCTET_FLAG = OCTET_FIXED << 8,
};
#define OCTET_SHIFT 8

static __always_inline __u32 octet_flags(const struct translation_options *options, bool from6)
{
	__u32 octet = from6 ? options->tos : options->traffic_class;

	return octet & OCTET_FIXED ? octet << OCTET_SHIFT : 0;
}

/* RFC 7915 sections 4.1 and 5.1: copied, or set by the operator. */
static __always_inline __u8 octet(const struct packet *p, __u32 flags)
{
	return flags & OCTET_FLAG ? flags >> OCTET_SHIFT : p->tos;
}

/* The kernel decrements before and after: adding one makes the node one hop. */
static __always_inline __u8 hop(__u8 ttl, __u32 flags)
{
	return (flags & HOP_ADD_ONE) && ttl < MAX_TTL ? ttl + 1 : ttl;
}

/* The address part of a pseudo-header, from one family to the other, as bpf_csum_diff would give it. */
static __always_inline __u32 address_diff(const struct packet *p, bool to4)
{
	__u64 six = fold32(sum6(&p->src6) + sum6(&p->dst6));
	__u64 four = fold32((__u64)p->src4 + p->dst4);

	return to4 ? fold32(four + (__u32)~six) : fold32(six + (__u32)~four);
}

/* Both ports as they lie in the header, in one word. */
static __always_inline __u32 ports(__be16 sport, __be16 dport)
{
	union {
		__be16 port[2];
		__u32 word;
	} both = {.port = {sport, dport}};

	return both.word;
}

static __always_inline int store_ports(struct __sk_buff *skb, __u32 off, __u32 ports)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (off > MAX_DIRECT || data + off + sizeof(ports) > end)
		return bpf_skb_store_bytes(skb, off, &ports, sizeof(ports), 0) ? HELPER_FAILED
									       : GO_ON;
	*(__u32 *)(data + off) = ports;
	return GO_ON;
}

/* Ports and checksum of TCP and UDP. In a quote the checksum may be cut off. */
SUBPROG int write_ports(struct __sk_buff *skb, struct packet *p, bool to4)
{
	if (!p)
		return HELPER_FAILED;

	__u32 check = p->l4 + (p->proto == IPPROTO_TCP ? TCP_CHECK_OFFSET : UDP_CHECK_OFFSET);
	__u64 mangled = p->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 before = ports(p->sport, p->dport), after = ports(p->new_sport, p->new_dport);

	if (check + 2 <= p->l4 + p->l4_here) {
		/* Apart: a checksum that the sender left to the device covers the addresses only. */
		if (bpf_l4_csum_replace(skb, check, 0, address_diff(p, to4),
					BPF_F_PSEUDO_HDR | mangled))
			return HELPER_FAILED;
		if (before != after && bpf_l4_csum_replace(skb, check, before, after, 4 | mangled))
			return HELPER_FAILED;
	}
	return before == after ? GO_ON : store_ports(skb, p->l4, after);
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

/*
 * A checksum that the sender left to the device (CHECKSUM_PARTIAL: the field, here at
 * `check`, holds the pseudo-header's sum). It is completed when the packet leaves,
 * over all that then follows; what it covers sums up to the field's complement.
 */
static __always_inline bool left_to_device(struct __sk_buff *skb, __u32 check, __u64 pseudo,
					   __u16 *field)
{
	return !bpf_skb_load_bytes(skb, check, field, 2) && *field == fold(pseudo);
}

static __always_inline __u32 check_offset(__u8 proto)
{
	return proto == IPPROTO_TCP   ? TCP_CHECK_OFFSET
	       : proto == IPPROTO_UDP ? UDP_CHECK_OFFSET
				      : 0;
}

static __always_inline bool is_udp0(const struct packet *p)
{
	return p->proto == IPPROTO_UDP && first_or_whole(p) && p->l4_check == 0;
}

/* UDP without checksum is summed up to its own length, which must agree with the packet's. */
static __always_inline int check_udp0(const struct packet *p,
				      const struct translation_options *options)
{
	if (!is_udp0(p))
		return GO_ON;
	if (options->flags & DROP_UDP0)
		return UDP_NO_CHECKSUM;
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
	ip->tos = octet(p, flags);
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
	ip6->priority = octet(p, flags) >> 4;
	ip6->flow_lbl[0] = octet(p, flags) << 4;
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

/* The new header and its ethertype. */
static __always_inline int store_header(struct __sk_buff *skb, __u16 type, const void *header,
					const __u32 len)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + ETH_HLEN + len > end)
		return store_ethertype(skb, type) ||
		       bpf_skb_store_bytes(skb, ETH_HLEN, header, len, 0);
	((struct ethhdr *)data)->h_proto = bpf_htons(type);
	copy_words(data + ETH_HLEN, header, len);
	return 0;
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
	if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0) ||
	    store_header(skb, ETH_P_IP, &ip, sizeof(ip)))
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
	int reason;

	header6(&h.ip6, &h.frag, p, flags);
	reason = write_transport(skb, p, false, false);
	if (reason != GO_ON)
		return reason;
	if (options > 0 &&
	    bpf_skb_adjust_room(skb, -options, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
		return HELPER_FAILED;
	if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0))
		return HELPER_FAILED;
	if (p->fragment) {
		if (bpf_skb_adjust_room(skb, FRAGMENT_HEADER, BPF_ADJ_ROOM_NET, 0) ||
		    store_header(skb, ETH_P_IPV6, &h, sizeof(h)))
			return HELPER_FAILED;
		return TRANSLATED_4TO6;
	}
	if (store_header(skb, ETH_P_IPV6, &h, sizeof(h.ip6)))
		return HELPER_FAILED;
	return TRANSLATED_4TO6;
}

#endif
