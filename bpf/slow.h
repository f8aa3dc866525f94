/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What leaves the translator for elsewhere: the slow path, and the kernel's fragmentation. */
#ifndef V6N_SLOW_H
#define V6N_SLOW_H

#include "answer.h"
#include "parse.h"

/*
 * To the slow path's TAP; the frame's destination says who wants the packet back,
 * and before that the identification of the IPv4 packet: its fragments have it
 * (RFC 7915 section 4.1).
 */
SUBPROG int to_slow(struct __sk_buff *skb, struct work *w, __u32 ifindex, __u32 who, int reason)
{
	if (!w)
		return HELPER_FAILED;

	__u8 mac[ETH_ALEN] = {0x02, 0x64, 0, w->p.id >> 8, w->p.id, who};

	if (!ifindex)
		return SLOW_AWAY;
	if (bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0))
		return HELPER_FAILED;
	w->action = bpf_redirect(ifindex, 0);
	return reason;
}

/*
 * IPv4 that must be in smaller fragments before it is translated (RFC 7915
 * section 4): back into the host's stack with a mark, whose route has a smaller
 * MTU. It is routed once more for that, so its TTL is raised once more.
 */
SUBPROG int refragment(struct __sk_buff *skb, struct work *w, __u32 mark)
{
	if (!w)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	__be16 old = bpf_htons(p->ttl << 8 | p->proto), new;

	if ((skb->mark & MARK_FRAG) || p->ttl == MAX_TTL)
		return STILL_TOO_BIG;
	p->ttl++;
	new = bpf_htons(p->ttl << 8 | p->proto);
	if (bpf_l3_csum_replace(skb, p->l3 + offsetof(struct iphdr, check), old, new, 2) ||
	    bpf_skb_store_bytes(skb, p->l3 + offsetof(struct iphdr, ttl), &p->ttl, 1, 0))
		return HELPER_FAILED;
	skb->mark = (skb->mark & ~MARK_MASK) | mark;
	w->action = TC_ACT_OK;
	return REFRAGMENT;
}

/*
 * Whether the kernel must fragment it smaller first. A fragment always goes once
 * more through the kernel, whatever its size: all of its datagram must, and a
 * later fragment does not know how large the others are.
 */
static __always_inline bool must_refragment(struct __sk_buff *skb, const struct packet *p,
					    __u32 lowest_ipv6_mtu)
{
	__u32 total = IP_HEADER + p->l4_len;

	if (p->fragment)
		return !(skb->mark & MARK_FRAG) ||
		       total > lowest_ipv6_mtu - IP_HEADER - FRAGMENT_HEADER;
	if (p->df || p->proto == IPPROTO_ICMP)
		return false;
	if (skb->gso_size)
		total = skb->gso_size + IP_HEADER + 20;
	return total > lowest_ipv6_mtu - IP_HEADER;
}

/* Once translated it would have to be fragmented: only ICMP, and what the slow path reassembled. */
static __always_inline bool must_cut(const struct packet *p, __u32 flags, __u32 lowest_ipv6_mtu)
{
	return IP6_HEADER + p->l4_len > lowest_ipv6_mtu && !p->fragment &&
	       (flags & WAS_REASSEMBLED || (p->proto == IPPROTO_ICMP && !p->df));
}

#endif
