/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The NAT64 from IPv6 to IPv4 (RFC 6146 sections 3.4 to 3.7): tuple, policy, session, rewriting. */
#ifndef V6N_NAT64_6TO4_H
#define V6N_NAT64_6TO4_H

#include "answer.h"
#include "bib.h"
#include "fragment.h"
#include "policy.h"
#include "rfc7915.h"
#include "session.h"
#include "slow.h"

/* The index of the pref64 that covers the address; NONE where none does. */
SUBPROG __u32 find_pref64(struct nat64_config *cfg, const struct in6_addr *a)
{
	if (!cfg || !a)
		return NONE;

	__u32 i;

	for (i = 0; i < MAX_PREF64; i++)
		if (i < cfg->pref64_count && pref64_covers(&cfg->pref64[i], a))
			return i;
	return NONE;
}

/* The source address and port that the BIB entry gives (section 3.6). */
static __always_inline void outgoing4(struct packet *p, const struct bib_entry *entry)
{
	p->src4 = entry->address4;
	p->new_sport = entry->port4;
	p->new_dport = p->proto == IPPROTO_ICMPV6 ? entry->port4 : p->dport;
}

/* The BIB entry for a new session, held once for it: the one there is, or a new one. */
static __always_inline int bind_6to4(struct work *w, struct nat64_config *cfg, __u32 proto)
{
	struct bib_entry *entry = bib_at(w->bib);
	int reason;

	if (entry && hold(&entry->refs)) {
		if (bib_is6(entry, &w->p.src6, w->p.sport))
			return GO_ON;
		bib_release(w->bib, w->now); /* the slot became another's meanwhile */
	}
	reason = bib_create(w, cfg, proto);
	if (reason != TABLE_FULL)
		return reason;
	/* Full, or another CPU was first. */
	w->bib = bib_find6(&w->p.src6, w->p.sport, proto, w->pref64);
	entry = bib_at(w->bib);
	return entry && hold(&entry->refs) ? GO_ON : TABLE_FULL;
}

/* A session for a packet from IPv6: allowed? then a BIB entry, then the session. */
SUBPROG int open_6to4(struct work *w, struct nat64_config *cfg, __u32 proto)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct bib_entry *entry = bib_at(w->bib);
	int reason = policy_6to4(w, cfg, proto);

	if (reason != GO_ON)
		return reason;
	if (proto == BIB_TCP && tcp_event(p, true) != EVENT_V6_SYN)
		return entry ? GO_ON : NO_SESSION_TCP; /* CLOSED, "any other packet" */
	reason = bind_6to4(w, cfg, proto);
	if (reason != GO_ON)
		return reason;
	reason = session_create(w, cfg, proto, CREATE_FROM6 | (w->hairpin ? SESSION_HAIRPIN : 0));
	if (reason != GO_ON)
		bib_release(w->bib, w->now);
	return reason;
}

/* Filtering and updating for a packet from IPv6 (section 3.5). */
SUBPROG int map_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	__u32 proto = bib_proto(p->proto);
	struct bib_entry *entry;
	struct session *s;
	int reason;

	w->bib = bib_find6(&p->src6, p->sport, proto, w->pref64);
	s = w->bib == NONE
		    ? 0
		    : session_find(w->bib, p->dst4, proto == BIB_ICMP ? 0 : p->dport, cfg, w->now);
	if (s) {
		session_packet(s, p, true, cfg, w->now, skb->len - ETH_HLEN);
		w->hairpin = s->flags & SESSION_HAIRPIN;
	} else {
		reason = open_6to4(w, cfg, proto);
		if (reason != GO_ON)
			return reason;
	}
	entry = entry_of(w);
	if (!entry || !bib_is6(entry, &p->src6, p->sport))
		return TABLE_FULL;
	outgoing4(p, entry);
	return GO_ON;
}

/* An ICMPv6 error: the quoted packet, which we sent, finds the session; no state is made. */
SUBPROG int error_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p, *q = &w->q;
	struct bib_entry *entry;
	struct session *s;
	__u32 proto;
	int reason = check_error6(skb, p);

	if (reason == GO_ON)
		reason = parse_quote6(skb, p, q);
	if (reason != GO_ON)
		return reason;
	if (!first_or_whole(q) ||
	    (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP && q->proto != IPPROTO_ICMPV6))
		return QUOTE_TOO_SHORT;
	proto = bib_proto(q->proto);
	w->pref64 = find_pref64(cfg, &q->src6);
	if (w->pref64 >= MAX_PREF64 || !pref64_extract(&cfg->pref64[w->pref64], &q->src6, &q->src4))
		return NO_SESSION_ERROR;
	w->bib = bib_find6(&q->dst6, q->dport, proto, w->pref64);
	s = w->bib == NONE
		    ? 0
		    : session_find(w->bib, q->src4, proto == BIB_ICMP ? 0 : q->sport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry || !in6_equal(&p->dst6, &q->src6))
		return NO_SESSION_ERROR;
	w->hairpin = s->flags & SESSION_HAIRPIN;
	q->dst4 = entry->address4;
	q->new_dport = entry->port4;
	q->new_sport = proto == BIB_ICMP ? entry->port4 : q->sport;
	/* Of its own the host has no other address; a router between may get one of the pool. */
	p->src4 = in6_equal(&p->src6, &q->dst6) ? entry->address4
						: lent4(&cfg->options, &p->src6, entry->address4);
	reason = icmp_error_6to4(p, q->fragment_header, &cfg->options);
	return reason == GO_ON ? write_error_6to4(skb, p, q, w->flags) : reason;
}

/* A later fragment, or ICMP in fragments: what the first one decided. */
SUBPROG int fragment_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct bib_entry *entry;
	int reason = fragment_recall(w, true);

	if (reason == REASON_COUNT)
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64, SLOW_FRAGMENTED_ICMP);
	if (reason != GO_ON)
		return reason;
	entry = bib_at(w->bib);
	if (!entry || !in6_equal(&entry->address6, &p->src6))
		return FRAGMENT_NO_FIRST;
	p->src4 = entry->address4;
	return write_6to4(skb, p, w->flags);
}

SUBPROG int query_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	int reason;

	if (p->proto == IPPROTO_ICMPV6) {
		reason = icmp_query_6to4(p);
		if (reason != GO_ON)
			return reason;
		if (p->fragment) {
			reason = policy_6to4(w, cfg, BIB_ICMP);
			fragment_remember(w, true, reason == GO_ON ? FRAGMENT_SLOW : FRAGMENT_DROP);
			if (reason != GO_ON)
				return reason;
			return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64, SLOW_FRAGMENTED_ICMP);
		}
	} else if (p->proto == IPPROTO_UDP && p->l4_check == 0) {
		return UDP_NO_CHECKSUM;
	}
	reason = map_6to4(skb, w, cfg);
	if (p->fragment)
		fragment_remember(w, true,
				  reason != GO_ON ? FRAGMENT_DROP
				  : w->hairpin	  ? FRAGMENT_HAIRPIN
						  : FRAGMENT_TRANSLATE);
	return reason == GO_ON ? write_6to4(skb, p, w->flags) : reason;
}

SUBPROG int nat64_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	int reason = parse6(skb, p, ETH_HLEN, skb->len, false);

	if (reason != GO_ON)
		return reason;
	if (p->dst6.s6_addr[0] == 0xff) {
		w->action = TC_ACT_OK;
		return PASS_MULTICAST;
	}
	if (bad_source6(&p->src6))
		return BAD_SOURCE;
	w->pref64 = find_pref64(cfg, &p->dst6);
	if (w->pref64 >= MAX_PREF64 || !pref64_extract(&cfg->pref64[w->pref64], &p->dst6, &p->dst4))
		return NOT_PREF64;
	if (find_pref64(cfg, &p->src6) != NONE)
		return SOURCE_IN_PREF64;
	if (p->refused != GO_ON)
		return p->refused;
	if (!first_or_whole(p))
		return fragment_6to4(skb, w, cfg);
	if (p->proto == IPPROTO_ICMPV6 && !p->fragment && p->icmp_error) {
		reason = error_6to4(skb, w, cfg);
		/* A router's error about a packet to an explicit mapping: only siit knows those. */
		if (reason == NO_SESSION_ERROR && cfg->options.flags & STATELESS_TOO) {
			w->action = bpf_redirect(cfg->clat_ifindex, 0);
			return PASS_NOT_OURS;
		}
		return reason;
	}
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP && p->proto != IPPROTO_ICMPV6)
		return UNKNOWN_PROTOCOL;
	return query_6to4(skb, w, cfg);
}

SUBPROG int answer_6to4(struct __sk_buff *skb, struct work *w, int reason)
{
	if (!w)
		return HELPER_FAILED;

	switch (reason) {
	case ROUTING_HEADER: return answer6(skb, w, reason, ICMP6_BAD_FIELD, w->p.pointer);
	case SOURCE_NOT_ALLOWED:
	case DESTINATION_REFUSED: return answer6(skb, w, reason, ICMP6_PROHIBITED, 0);
	case POOL4_EXHAUSTED:
	case CLIENT_PORTS:
	case CLIENT_SESSIONS:
	case CLIENT_RATE:
	case TABLE_FULL: return answer6(skb, w, reason, ICMP6_ADDRESS_UNREACH, 0);
	case NO_SESSION_TCP: return w->resets ? reset6(skb, w, reason) : reason;
	case UNKNOWN_PROTOCOL: return answer6(skb, w, reason, ICMP6_UNREACH(4), 0);
	}
	return reason;
}

#endif
