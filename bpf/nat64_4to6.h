/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The NAT64 from IPv4 to IPv6 (RFC 6146 sections 3.4 to 3.7): only towards what has a BIB entry. */
#ifndef V6N_NAT64_4TO6_H
#define V6N_NAT64_4TO6_H

#include "answer.h"
#include "bib.h"
#include "fragment.h"
#include "policy.h"
#include "rfc7915.h"
#include "session.h"
#include "slow.h"

/* From IPv4: the destination's BIB entry names the host (section 3.5). */
static __always_inline void incoming6(struct work *w, struct nat64_config *cfg,
				      const struct bib_entry *entry)
{
	struct packet *p = &w->p;

	w->pref64 = entry->pref64 & (MAX_PREF64 - 1);
	pref64_embed(&cfg->pref64[w->pref64], p->src4, &p->src6);
	p->dst6 = entry->address6;
	p->new_dport = entry->port6;
	p->new_sport = p->proto == IPPROTO_ICMP ? entry->port6 : p->sport;
}

/* A session for a packet from IPv4 to a BIB entry: may it come in? */
SUBPROG int open_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg,
		      struct bib_entry *entry)
{
	if (!w || !cfg || !entry)
		return HELPER_FAILED;

	/* Hairpins by address: the kernel's fragmentation between the passes replaces the mark. */
	bool syn = entry->proto == BIB_TCP && tcp_event(&w->p, false) == EVENT_V4_SYN;
	int reason = policy_4to6(w, entry);

	if (reason != GO_ON)
		return reason;
	if (cfg->flags & CONFIG_ADDRESS_DEPENDENT && !(entry->flags & BIB_STATIC) &&
	    !remote_known(w->bib, w->p.src4))
		return syn ? syn_store(skb, &w->p, cfg, w->now, FILTERED) : FILTERED;
	if (entry->proto == BIB_TCP && !syn)
		return GO_ON; /* CLOSED, "any other packet" */
	if (!hold(&entry->refs))
		return TABLE_FULL;
	reason = entry->address4 == w->p.dst4 && entry->port4 == w->p.dport
			 ? session_create(w, cfg, entry->proto, w->hairpin ? SESSION_HAIRPIN : 0)
			 : TABLE_FULL; /* the slot became another's meanwhile */
	if (reason != GO_ON)
		bib_release(w->bib, w->now);
	return reason;
}

SUBPROG int map_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg,
		     struct bib_entry *entry)
{
	if (!w || !cfg || !entry)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct session *s =
		session_find(w->bib, p->src4, entry->proto == BIB_ICMP ? 0 : p->sport, cfg, w->now);
	int reason;

	if (s) {
		session_packet(s, p, false, cfg, w->now, skb->len - ETH_HLEN);
	} else {
		reason = open_4to6(skb, w, cfg, entry);
		if (reason != GO_ON)
			return reason;
	}
	if (entry->address4 != p->dst4 || entry->port4 != p->dport)
		return TABLE_FULL; /* the slot became another's meanwhile */
	incoming6(w, cfg, entry);
	return GO_ON;
}

SUBPROG int error_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p, *q = &w->q;
	struct bib_entry *entry;
	struct session *s;
	__u32 proto;
	int reason = check_error4(skb, p, w->flags);

	if (reason == GO_ON)
		reason = parse_quote4(skb, p, q);
	if (reason != GO_ON)
		return reason;
	if (!first_or_whole(q) ||
	    (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP && q->proto != IPPROTO_ICMP))
		return QUOTE_TOO_SHORT;
	proto = bib_proto(q->proto);
	w->bib = bib_find4(q->src4, q->sport, proto);
	s = w->bib == NONE
		    ? 0
		    : session_find(w->bib, q->dst4, proto == BIB_ICMP ? 0 : q->dport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry || p->dst4 != q->src4)
		return NO_SESSION_ERROR;
	incoming6(w, cfg, entry);
	pref64_embed(&cfg->pref64[w->pref64], q->dst4, &q->dst6);
	q->src6 = entry->address6;
	q->new_sport = entry->port6;
	q->new_dport = proto == BIB_ICMP ? entry->port6 : q->dport;
	reason = icmp_error_4to6(p, q->l4 - q->l3 + q->l4_len, &cfg->options);
	return reason == GO_ON ? write_error_4to6(skb, p, q, w->flags) : reason;
}

SUBPROG int fragment_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct bib_entry *entry;
	int reason = fragment_recall(w, false);

	if (reason == REASON_COUNT)
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64,
			       p->proto == IPPROTO_ICMP ? SLOW_FRAGMENTED_ICMP
							: SLOW_FRAGMENTED_UDP0);
	if (reason != GO_ON)
		return reason;
	if (must_refragment(skb, p, cfg->lowest_ipv6_mtu))
		return refragment(skb, w, MARK_FRAG);
	entry = bib_at(w->bib);
	if (!entry || entry->address4 != p->dst4)
		return FRAGMENT_NO_FIRST;
	incoming6(w, cfg, entry);
	return write_4to6(skb, p, w->flags);
}

/* No BIB entry (sections 3.5.1 to 3.5.3): a SYN waits for one, the others are answered. */
SUBPROG int no_bib(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	__be32 address = p->dst4;

	if (!bpf_map_lookup_elem(&pool4_address, &address))
		return NOT_POOL4;
	if (p->proto == IPPROTO_UDP)
		return NO_BIB_UDP;
	if (p->proto != IPPROTO_TCP)
		return NO_BIB_ICMP;
	if (tcp_event(p, false) != EVENT_V4_SYN || p->fragment)
		return NO_BIB_TCP;
	return syn_store(skb, p, cfg, w->now, SYN_STORED);
}

SUBPROG int query_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct bib_entry *entry;
	bool slow;
	int reason;

	if (p->proto == IPPROTO_ICMP) {
		reason = icmp_query_4to6(p);
		if (reason != GO_ON)
			return reason;
	}
	w->bib = bib_find4(p->dst4, p->dport, bib_proto(p->proto));
	entry = bib_at(w->bib);
	if (!entry) {
		if (p->fragment)
			fragment_remember(w, false, FRAGMENT_DROP);
		return no_bib(skb, w, cfg);
	}
	slow = p->fragment && (p->proto == IPPROTO_ICMP || is_udp0(p));
	if (slow) {
		if (is_udp0(p) && cfg->options.flags & DROP_UDP0) {
			fragment_remember(w, false, FRAGMENT_DROP);
			return UDP_NO_CHECKSUM;
		}
		fragment_remember(w, false, FRAGMENT_SLOW);
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64,
			       p->proto == IPPROTO_ICMP ? SLOW_FRAGMENTED_ICMP
							: SLOW_FRAGMENTED_UDP0);
	}
	reason = check_udp0(p, &cfg->options);
	if (reason != GO_ON)
		return reason;
	if (!(w->flags & WAS_REASSEMBLED) && must_refragment(skb, p, cfg->lowest_ipv6_mtu)) {
		if (p->fragment)
			fragment_remember(w, false, FRAGMENT_TRANSLATE);
		return refragment(skb, w, MARK_FRAG);
	}
	reason = map_4to6(skb, w, cfg, entry);
	if (p->fragment)
		fragment_remember(w, false, reason == GO_ON ? FRAGMENT_TRANSLATE : FRAGMENT_DROP);
	if (reason != GO_ON)
		return reason;
	reason = write_4to6(skb, p, w->flags);
	if (reason == TRANSLATED_4TO6 && must_cut(p, w->flags, cfg->lowest_ipv6_mtu))
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_UP, SLOW_TOO_BIG);
	return reason;
}

SUBPROG int nat64_4to6(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	bool error;
	int reason = parse4(skb, p, ETH_HLEN, skb->len, false);

	if (reason != GO_ON)
		return reason;
	if (bpf_ntohl(p->dst4) >> 28 == 14) {
		w->action = TC_ACT_OK;
		return PASS_MULTICAST;
	}
	error = p->proto == IPPROTO_ICMP && !p->fragment && p->icmp_error;
	if (!error && bad_source4(p->src4))
		return BAD_SOURCE;
	if (p->refused != GO_ON)
		return p->refused;
	if (error)
		return error_4to6(skb, w, cfg);
	if (!first_or_whole(p))
		return fragment_4to6(skb, w, cfg);
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP && p->proto != IPPROTO_ICMP)
		return UNKNOWN_PROTOCOL;
	return query_4to6(skb, w, cfg);
}

SUBPROG int answer_4to6(struct __sk_buff *skb, struct work *w, int reason)
{
	if (!w)
		return HELPER_FAILED;

	switch (reason) {
	case SOURCE_ROUTE: return answer4(skb, w, reason, ICMP4_UNREACH(5));
	case UNKNOWN_PROTOCOL: return answer4(skb, w, reason, ICMP4_UNREACH(2));
	case NO_BIB_UDP: return answer4(skb, w, reason, ICMP4_UNREACH(3));
	case NO_BIB_ICMP: return answer4(skb, w, reason, ICMP4_UNREACH(1));
	case CLIENT_SESSIONS:
	case TABLE_FULL: return answer4(skb, w, reason, ICMP4_UNREACH(1));
	case FILTERED: return answer4(skb, w, reason, ICMP4_UNREACH(13));
	case NO_BIB_TCP: return w->resets ? reset4(skb, w, reason) : reason;
	}
	return reason;
}

#endif
