/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One IPv4 address for the node and the NAT64: which packets to it are the
 * NAT64's. At ingress of the uplink they get a mark, by which a rule before the
 * local table routes them into nat64, through PREROUTING and conntrack as any
 * other. What the node sends to itself never meets a route again, so on lo it is
 * redirected. Of a fragmented datagram only the first fragment decides: the
 * kernel reassembles it with the first fragment's mark.
 */
#ifndef V6N_STEER_H
#define V6N_STEER_H

#include "policy.h"
#include "session.h"

#define NEXT_FILTER TC_ACT_UNSPEC /* of the operator's, behind ours; then up the stack */

/* Whether the NAT64 owns the packet. Quoted packets are ours by their session. */
SUBPROG int is_ours(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg, __u32 l3)
{
	if (!w || !cfg)
		return 0;

	struct packet *p = &w->p, *q = &w->q;
	struct pool_address *pool;
	__be32 address;
	__u32 index;

	if (parse4(skb, p, l3, skb->len, false) != GO_ON || p->refused != GO_ON ||
	    !first_or_whole(p))
		return 0;
	address = p->dst4;
	pool = bpf_map_lookup_elem(&pool4_address, &address);
	if (!pool || !(pool->flags & POOL_SHARED))
		return 0;
	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
		return port_is_ours(address, (p->proto == IPPROTO_TCP ? BIB_TCP : BIB_UDP) << 16 |
						     bpf_ntohs(p->dport));
	if (p->proto != IPPROTO_ICMP)
		return 0;
	if (!is_icmp4_error(p->icmp_type)) {
		/* Identifiers are the node's too: only a known exchange is the NAT64's. */
		index = bib_find4(address, p->dport, BIB_ICMP);
		return index != NONE && session_find(index, p->src4, 0, cfg, w->now) != 0;
	}
	if (parse4(skb, q, p->l4 + ICMP_HEADER, skb->len, true) != GO_ON || !first_or_whole(q))
		return 0;
	if (q->proto == IPPROTO_ICMP) {
		index = bib_find4(q->src4, q->sport, BIB_ICMP);
		return index != NONE && session_find(index, q->dst4, 0, cfg, w->now) != 0;
	}
	if (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP)
		return 0;
	index = bib_find4(q->src4, q->sport, q->proto == IPPROTO_TCP ? BIB_TCP : BIB_UDP);
	return index != NONE && session_find(index, q->dst4, q->dport, cfg, w->now) != 0;
}

/*
 * Where the IP header is: a tunnel or PPP has no link-layer header. The kernel
 * does not tell, but it knows where the network header starts.
 */
static __always_inline __u32 network_offset(struct __sk_buff *skb)
{
	__u64 network[2], first[2];

	if (bpf_skb_load_bytes_relative(skb, 0, network, sizeof(network), BPF_HDR_START_NET) ||
	    bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return ETH_HLEN;
	return network[0] == first[0] && network[1] == first[1] ? 0 : ETH_HLEN;
}

static __always_inline int steer(struct __sk_buff *skb, bool redirect)
{
	struct nat64_config *cfg = nat64_settings();
	__u32 zero = 0;
	struct work *w = bpf_map_lookup_elem(&scratch, &zero);

	if (!cfg || !w || skb->protocol != bpf_htons(ETH_P_IP))
		return NEXT_FILTER;
	w->now = now_ns(cfg->clock_offset_ns);
	if (!is_ours(skb, w, cfg, network_offset(skb)))
		return NEXT_FILTER;
	count(STEERED);
	if (redirect)
		return bpf_redirect(cfg->nat64_ifindex, 0);
	skb->mark = (skb->mark & ~MARK_MASK) | MARK_STEER;
	return NEXT_FILTER;
}

SEC("tc")
int steer_uplink(struct __sk_buff *skb)
{
	return steer(skb, false);
}

SEC("tc")
int steer_lo(struct __sk_buff *skb)
{
	return steer(skb, true);
}

#endif
