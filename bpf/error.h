/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing a translated ICMP error with the packet that it quotes (RFC 7915 sections
 * 4.2, 4.3, 5.2 and 5.3) and its extensions (RFC 4884).
 */
#ifndef V6N_ERROR_H
#define V6N_ERROR_H

#include "rfc7915.h"

#define MIN_EXTENDED_QUOTE 128U /* RFC 4884 section 4 */
#define EXTENSION_ROOM 2048U /* a power of two above what an ICMPv6 error leaves for extensions */

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

/* Our own output was checked on its way out, or made here, perhaps around a checksum still to come. */
SUBPROG int check_error4(struct __sk_buff *skb, struct packet *p, __u32 flags)
{
	if (!p)
		return HELPER_FAILED;

	if (flags & FROM_HAIRPIN)
		return GO_ON;
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

/* The sum over the body of a translated error behind the quoted headers, `len` bytes from `off` on. */
static __always_inline __u16 body_sum6(struct __sk_buff *skb, const struct packet *q, __u32 off,
				       __u32 len, __u32 flags)
{
	__u32 check = check_offset(q->proto);
	__u16 field;

	if (flags & FROM_HAIRPIN && check && !q->fragment && len >= check + 2 &&
	    left_to_device(skb, off + check, pseudo6(&q->src6, &q->dst6, q->l4_len, q->proto),
			   &field))
		return ~field;
	return sum_range(skb, off, len);
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
		      body_sum6(skb, q, ETH_HLEN + head, rest, flags));
	if (q->fragment) {
		if (bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
			return HELPER_FAILED;
	} else if (bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h) - FRAGMENT_HEADER, 0)) {
		return HELPER_FAILED;
	}
	return TRANSLATED_4TO6;
}

#endif
