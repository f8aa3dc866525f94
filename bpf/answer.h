/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors that a translator makes itself (RFC 7915 sections 4.4 and 5.4). The
 * refused packet becomes its own answer and re-enters the host's stack, which
 * routes it to the sender.
 */
#ifndef V6N_ANSWER_H
#define V6N_ANSWER_H

#include "abi.h"
#include "clock.h"
#include "error.h"

#define ANSWER_TTL 64
#define DIFFSERV 0xfc /* RFC 5508 section 7.7: as the refused packet's, without ECN */

/* What a dry run would have entered into the tables. */
struct would {
	struct bib_entry entry; /* flags 0: no new one; the port is one of those that are free */
	__u32 ports; /* of the range that the entry's is drawn from, first << 16 | last */
	__u32 new_session;
	__u32 new_block;
	__u32 answers_syn; /* of the remote host's, which was stored */
};

/* What one packet's processing needs beside the packet. Per CPU: tc and timers run with BHs off. */
struct work {
	struct packet p; /* the packet */
	struct packet q; /* the one quoted in it */
	struct in6_addr icmp6_source;
	__be32 icmp4_source;
	__u32 icmp_rate;
	__u64 now;
	__u32 flags;  /* of rfc7915.h */
	__u32 pref64; /* index of the pref64 in use */
	__u32 bib;    /* index of the BIB entry in use */
	__u32 hairpin;
	__s32 action; /* what tc does; TC_ACT_SHOT until somebody knows better */
	__u32 mark;   /* as it came, the operator's bits alone */
	__u32 resets; /* orphans are answered with RST */
	__u32 group;  /* of pool4 ranges that serves it */
	struct client_key client;
	struct would would; /* a dry run's */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct work);
} scratch SEC(".maps");

struct answer_budget {
	__u64 second;
	__u64 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer_budget);
} answer_budget SEC(".maps");

/* RFC 4443 section 2.4 (f), RFC 1812 section 4.3.2.8: errors are limited in rate. */
static __always_inline bool may_answer(const struct work *w)
{
	__u64 second = w->now / SECOND_NS;
	struct answer_budget *budget;
	__u32 zero = 0;

	budget = bpf_map_lookup_elem(&answer_budget, &zero);
	if (!budget)
		return false;
	if (budget->second != second) {
		budget->second = second;
		budget->used = 0;
	}
	if (budget->used >= w->icmp_rate) {
		count(ANSWER_LIMITED);
		return false;
	}
	budget->used++;
	count(ANSWER_SENT);
	return true;
}

/* The sum over the packet behind its IP header once it is quoted. */
static __always_inline __u64 quoted_sum(struct __sk_buff *skb, const struct packet *p, __u64 pseudo,
					__u32 base, __u32 len)
{
	__u32 check = check_offset(p->proto);
	__u32 before = p->l4 - p->l3;
	__u16 field;

	if (before >= len)
		return sum_range(skb, p->l3 + base, len - base);
	if (check && len >= before + check + 2 && !p->fragment &&
	    left_to_device(skb, p->l4 + check, pseudo, &field))
		return (__u64)sum_range(skb, p->l3 + base, before - base) + (__u16)~field;
	return sum_range(skb, p->l3 + base, len - base);
}

SUBPROG int answer6(struct __sk_buff *skb, struct work *w, int reason, __u32 type_code, __u32 rest)
{
	if (!w)
		return HELPER_FAILED;

	struct {
		struct ipv6hdr outer;
		struct icmp6hdr icmp;
		struct ipv6hdr quoted;
	} h;
	struct packet *p = &w->p;
	__u32 keep = skb->len - ETH_HLEN;
	__s64 sum;

	if (p->icmp_error || p->src6.s6_addr[0] == 0xff || !first_or_whole(p) || !may_answer(w))
		return reason;
	if (keep > MIN_IPV6_MTU - IP6_HEADER - ICMP_HEADER)
		keep = MIN_IPV6_MTU - IP6_HEADER - ICMP_HEADER;
	if (keep < IP6_HEADER || bpf_skb_load_bytes(skb, ETH_HLEN, &h.quoted, IP6_HEADER))
		return reason;

	if (bpf_skb_change_tail(skb, ETH_HLEN + keep, 0))
		return HELPER_FAILED;
	sum = quoted_sum(skb, p, pseudo6(&p->src6, &p->dst6, p->l4_len, p->proto), IP6_HEADER,
			 keep);
	__builtin_memset(&h.outer, 0, sizeof(h.outer) + sizeof(h.icmp));
	h.outer.version = 6;
	h.outer.priority = p->tos >> 4;
	h.outer.flow_lbl[0] = (p->tos & DIFFSERV) << 4;
	h.outer.payload_len = bpf_htons(ICMP_HEADER + keep);
	h.outer.nexthdr = IPPROTO_ICMPV6;
	h.outer.hop_limit = ANSWER_TTL;
	h.outer.saddr = w->icmp6_source;
	h.outer.daddr = p->src6;
	h.icmp.icmp6_type = type_code >> 8;
	h.icmp.icmp6_code = type_code;
	h.icmp.icmp6_dataun.un_data32[0] = bpf_htonl(rest);
	sum += bpf_csum_diff(0, 0, (__be32 *)&h.icmp, sizeof(h.icmp) + sizeof(h.quoted), 0) &
	       0xffffffff;
	h.icmp.icmp6_cksum = ~fold(
		sum + pseudo6(&h.outer.saddr, &h.outer.daddr, ICMP_HEADER + keep, IPPROTO_ICMPV6));
	if (bpf_skb_adjust_room(skb, IP6_HEADER + ICMP_HEADER, BPF_ADJ_ROOM_NET, 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
		return HELPER_FAILED;
	w->action = TC_ACT_OK;
	return reason;
}

SUBPROG int answer4(struct __sk_buff *skb, struct work *w, int reason, __u32 type_code)
{
	if (!w)
		return HELPER_FAILED;

	struct {
		struct iphdr outer;
		struct icmp_header icmp;
		struct iphdr quoted;
	} h;
	struct packet *p = &w->p;
	__u32 keep = skb->len - ETH_HLEN;
	__s64 sum;

	if (p->icmp_error || bpf_ntohl(p->src4) >> 28 >= 14 || !first_or_whole(p) || !may_answer(w))
		return reason;
	if (keep > MAX_ICMP4_ERROR - IP_HEADER - ICMP_HEADER)
		keep = MAX_ICMP4_ERROR - IP_HEADER - ICMP_HEADER;
	if (keep < IP_HEADER || bpf_skb_load_bytes(skb, ETH_HLEN, &h.quoted, IP_HEADER))
		return reason;

	if (bpf_skb_change_tail(skb, ETH_HLEN + keep, 0))
		return HELPER_FAILED;
	sum = quoted_sum(skb, p, pseudo4(p->src4, p->dst4, p->l4_len, p->proto), IP_HEADER, keep);
	__builtin_memset(&h.outer, 0, sizeof(h.outer) + sizeof(h.icmp));
	h.outer.version = 4;
	h.outer.tos = p->tos & DIFFSERV;
	h.outer.ihl = 5;
	h.outer.tot_len = bpf_htons(IP_HEADER + ICMP_HEADER + keep);
	h.outer.ttl = ANSWER_TTL;
	h.outer.protocol = IPPROTO_ICMP;
	h.outer.id = bpf_get_prandom_u32();
	h.outer.saddr = w->icmp4_source;
	h.outer.daddr = p->src4;
	h.outer.check = ip_check(&h.outer);
	h.icmp.type = type_code >> 8;
	h.icmp.code = type_code;
	sum += bpf_csum_diff(0, 0, (__be32 *)&h.icmp, sizeof(h.icmp) + sizeof(h.quoted), 0) &
	       0xffffffff;
	h.icmp.check = ~fold(sum);
	if (bpf_skb_adjust_room(skb, IP_HEADER + ICMP_HEADER, BPF_ADJ_ROOM_NET, 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
		return HELPER_FAILED;
	w->action = TC_ACT_OK;
	return reason;
}

struct tcp_header {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	__u8 offset;
	__u8 flags;
	__be16 window;
	__u16 check;
	__be16 urgent;
};

/*
 * The reset that belongs to a segment of no connection (RFC 9293 section 3.5.2,
 * group 1). False where none does. The checksum is the caller's, from `sum`.
 */
static __always_inline bool reset_header(struct __sk_buff *skb, const struct packet *p,
					 struct tcp_header *h)
{
	struct tcp_header old;
	__u32 length;

	if (p->fragment || p->tcp_flags & TCP_RST || bpf_skb_load_bytes(skb, p->l4, &old, 20))
		return false;
	__builtin_memset(h, 0, sizeof(*h));
	h->source = old.dest;
	h->dest = old.source;
	h->offset = 5 << 4;
	h->flags = TCP_RST;
	h->check = old.check;
	if (old.flags & TCP_ACK) {
		h->seq = old.ack_seq;
		return true;
	}
	length = p->l4_len - (old.offset >> 4) * 4;
	length += !!(old.flags & TCP_SYN) + !!(old.flags & TCP_FIN);
	h->ack_seq = bpf_htonl(bpf_ntohl(old.seq) + length);
	h->flags |= TCP_ACK;
	return true;
}

/*
 * The checksum of the reset. Where the sender left its own to the device
 * (CHECKSUM_PARTIAL: the field holds the pseudo-header's sum) the device will do
 * this one too, which stands at the same place.
 */
static __always_inline void reset_check(struct tcp_header *h, __u64 was, __u64 pseudo)
{
	bool partial = h->check == fold(was);

	h->check = 0;
	if (partial)
		h->check = fold(pseudo);
	else
		h->check = ~fold(pseudo +
				 (bpf_csum_diff(0, 0, (__be32 *)h, sizeof(*h), 0) & 0xffffffff));
}

SUBPROG int reset6(struct __sk_buff *skb, struct work *w, int reason)
{
	if (!w)
		return HELPER_FAILED;

	struct {
		struct ipv6hdr ip6;
		struct tcp_header tcp;
	} h;
	struct packet *p = &w->p;

	if (p->l4 != ETH_HLEN + IP6_HEADER || !reset_header(skb, p, &h.tcp) || !may_answer(w))
		return reason;
	__builtin_memset(&h.ip6, 0, sizeof(h.ip6));
	h.ip6.version = 6;
	h.ip6.payload_len = bpf_htons(sizeof(h.tcp));
	h.ip6.nexthdr = IPPROTO_TCP;
	h.ip6.hop_limit = ANSWER_TTL;
	h.ip6.saddr = p->dst6;
	h.ip6.daddr = p->src6;
	reset_check(&h.tcp, pseudo6(&p->src6, &p->dst6, p->l4_len, IPPROTO_TCP),
		    pseudo6(&p->dst6, &p->src6, sizeof(h.tcp), IPPROTO_TCP));
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(h), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
		return HELPER_FAILED;
	w->action = TC_ACT_OK;
	return reason;
}

SUBPROG int reset4(struct __sk_buff *skb, struct work *w, int reason)
{
	if (!w)
		return HELPER_FAILED;

	struct {
		struct iphdr ip;
		struct tcp_header tcp;
	} h;
	struct packet *p = &w->p;

	if (p->l4 != ETH_HLEN + IP_HEADER || !reset_header(skb, p, &h.tcp) || !may_answer(w))
		return reason;
	__builtin_memset(&h.ip, 0, sizeof(h.ip));
	h.ip.version = 4;
	h.ip.ihl = 5;
	h.ip.tot_len = bpf_htons(sizeof(h));
	h.ip.ttl = ANSWER_TTL;
	h.ip.protocol = IPPROTO_TCP;
	h.ip.frag_off = bpf_htons(IP_DF);
	h.ip.saddr = p->dst4;
	h.ip.daddr = p->src4;
	h.ip.check = ip_check(&h.ip);
	reset_check(&h.tcp, pseudo4(p->src4, p->dst4, p->l4_len, IPPROTO_TCP),
		    pseudo4(p->dst4, p->src4, sizeof(h.tcp), IPPROTO_TCP));
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(h), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &h, sizeof(h), 0))
		return HELPER_FAILED;
	w->action = TC_ACT_OK;
	return reason;
}

#define ICMP6_UNREACH(CODE) (ICMPV6_DEST_UNREACH << 8 | (CODE))
#define ICMP6_PROHIBITED ICMP6_UNREACH(1)
#define ICMP6_ADDRESS_UNREACH ICMP6_UNREACH(3)
#define ICMP6_BAD_FIELD (ICMPV6_PARAMPROB << 8)
#define ICMP6_BAD_NEXT_HEADER (ICMPV6_PARAMPROB << 8 | 1)
#define ICMP4_UNREACH(CODE) (ICMP_DEST_UNREACH << 8 | (CODE))

#endif
