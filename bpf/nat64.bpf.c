/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stateful NAT64 (RFC 6146) at ingress of nat64-x. The packet is read, its tuple
 * looked up (filtering and updating, section 3.5), then rewritten in place
 * (sections 3.6 and 3.7); the host's own stack does the rest. docs/packet-flow.md
 * shows how packets get here and where they go.
 */
#include "abi.h"
#include "answer.h"
#include "bib.h"
#include "fragment.h"
#include "policy.h"
#include "rfc7915.h"
#include "session.h"
#include "slow.h"
#include "steer.h"

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

static __always_inline bool bad_source6(const struct in6_addr *a)
{
	if (a->s6_addr[0] == 0xff || (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0x80))
		return true;
	return !a->s6_addr32[0] && !a->s6_addr32[1] && !a->s6_addr32[2] &&
	       bpf_ntohl(a->s6_addr32[3]) <= 1;
}

/* 0/8, 127/8, multicast, 240/4 (RFC 7915 section 4.1). */
static __always_inline bool bad_source4(__be32 a)
{
	__u8 first = bpf_ntohl(a) >> 24;

	return first == 0 || first == 127 || first >= 224;
}

static __always_inline __u32 bib_proto(__u8 proto)
{
	return proto == IPPROTO_TCP ? BIB_TCP : proto == IPPROTO_UDP ? BIB_UDP : BIB_ICMP;
}

/* The source address and port that the BIB entry gives (section 3.6). */
static __always_inline void outgoing4(struct packet *p, const struct bib_entry *entry)
{
	p->src4 = entry->address4;
	p->new_sport = entry->port4;
	p->new_dport = p->proto == IPPROTO_ICMPV6 ? entry->port4 : p->dport;
}

/* A session for a packet from IPv6: allowed? then a BIB entry, then the session. */
SUBPROG int open_6to4(struct work *w, struct nat64_config *cfg, __u32 proto)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	struct bib_entry *entry = bib_at(w->bib);
	int reason = policy_6to4(w, proto, cfg->pool_count);

	if (reason != GO_ON)
		return reason;
	if (proto == BIB_TCP && tcp_event(p, true) != EVENT_V6_SYN)
		return entry ? GO_ON : NO_SESSION_TCP; /* CLOSED, "any other packet" */
	if (!entry || !bib_hold(entry)) {
		reason = bib_create(p, proto << 8 | w->pref64, cfg->pool_count, w->now, &w->bib);
		if (reason == TABLE_FULL) {
			w->bib = bib_find6(&p->src6, p->sport, proto, w->pref64);
			entry = bib_at(w->bib);
			reason = entry && bib_hold(entry) ? GO_ON : TABLE_FULL;
		}
		if (reason != GO_ON)
			return reason;
	}
	reason = session_create(w, true, proto << 8 | (w->hairpin ? SESSION_HAIRPIN : 0), cfg);
	if (reason != GO_ON)
		bib_release(w->bib);
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
	entry = bib_at(w->bib);
	if (!entry)
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
	__u32 proto, mtu;
	int reason = check_error6(skb, p);

	if (reason == GO_ON)
		reason = parse6(skb, q, p->l4 + ICMP_HEADER, true);
	if (reason != GO_ON)
		return reason;
	if (!first_or_whole(q) ||
	    (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP && q->proto != IPPROTO_ICMPV6))
		return QUOTE_TOO_SHORT;
	if (q->proto == IPPROTO_ICMPV6) {
		if (is_icmp6_error(q->icmp_type))
			return QUOTE_IS_ERROR;
		reason = icmp_query_6to4(q);
		if (reason != GO_ON)
			return reason;
	}
	proto = bib_proto(q->proto);
	w->pref64 = find_pref64(cfg, &q->src6);
	if (w->pref64 >= MAX_PREF64 || !pref64_extract(&cfg->pref64[w->pref64], &q->src6, &q->src4))
		return NO_SESSION_ERROR;
	w->bib = bib_find6(&q->dst6, q->dport, proto, w->pref64);
	s = w->bib == NONE
		    ? 0
		    : session_find(w->bib, q->src4, proto == BIB_ICMP ? 0 : q->sport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry)
		return NO_SESSION_ERROR;
	w->hairpin = s->flags & SESSION_HAIRPIN;
	q->dst4 = entry->address4;
	q->new_dport = entry->port4;
	q->new_sport = proto == BIB_ICMP ? entry->port4 : q->sport;
	p->src4 = entry->address4;
	if (p->icmp_type == ICMPV6_PKT_TOOBIG && q->fragment_header) {
		mtu = bpf_ntohl(p->icmp_rest);
		p->icmp_rest = bpf_htonl(mtu > FRAGMENT_HEADER ? mtu - FRAGMENT_HEADER : 0);
	}
	reason = icmp_error_6to4(p);
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
	w->hairpin = pool_destination(p, entry->proto, 0) == 1;
	return write_6to4(skb, p, w->flags);
}

SUBPROG int query_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	int reason;

	if (p->proto == IPPROTO_ICMPV6) {
		if (p->fragment) {
			reason = policy_6to4(w, BIB_ICMP, cfg->pool_count);
			fragment_remember(w, true, reason == GO_ON ? FRAGMENT_SLOW : FRAGMENT_DROP);
			if (reason != GO_ON)
				return reason;
			return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64, SLOW_FRAGMENTED_ICMP);
		}
		reason = icmp_query_6to4(p);
		if (reason != GO_ON)
			return reason;
	} else if (p->proto == IPPROTO_UDP && p->l4_check == 0) {
		return UDP_NO_CHECKSUM;
	}
	reason = map_6to4(skb, w, cfg);
	if (p->fragment)
		fragment_remember(w, true, reason == GO_ON ? FRAGMENT_TRANSLATE : FRAGMENT_DROP);
	return reason == GO_ON ? write_6to4(skb, p, w->flags) : reason;
}

SUBPROG int nat64_6to4(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	int reason = parse6(skb, p, ETH_HLEN, false);

	if (reason == TRUNCATED || reason == BAD_HEADER)
		return reason;
	if (p->dst6.s6_addr[0] == 0xff) {
		w->action = TC_ACT_OK;
		return PASS_MULTICAST;
	}
	w->pref64 = find_pref64(cfg, &p->dst6);
	if (w->pref64 >= MAX_PREF64 || !pref64_extract(&cfg->pref64[w->pref64], &p->dst6, &p->dst4))
		return NOT_PREF64;
	if (find_pref64(cfg, &p->src6) != NONE)
		return SOURCE_IN_PREF64;
	if (bad_source6(&p->src6))
		return BAD_SOURCE;
	if (reason != GO_ON)
		return reason;
	if (!first_or_whole(p))
		return fragment_6to4(skb, w, cfg);
	if (p->proto == IPPROTO_ICMPV6 && is_icmp6_error(p->icmp_type))
		return error_6to4(skb, w, cfg);
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
	case TABLE_FULL: return answer6(skb, w, reason, ICMP6_ADDRESS_UNREACH, 0);
	case UNKNOWN_PROTOCOL: return answer6(skb, w, reason, ICMP6_UNREACH(4), 0);
	}
	return reason;
}

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
	} else if (entry->proto != BIB_TCP || tcp_event(p, false) == EVENT_V4_SYN) {
		if (!bib_hold(entry))
			return TABLE_FULL;
		reason = session_create(w, false,
					(__u32)entry->proto << 8 |
						(skb->mark == MARK_HAIRPIN ? SESSION_HAIRPIN : 0),
					cfg);
		if (reason != GO_ON) {
			bib_release(w->bib);
			return reason;
		}
	}
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
	int reason = check_error4(skb, p);

	if (reason == GO_ON)
		reason = parse4(skb, q, p->l4 + ICMP_HEADER, true);
	if (reason != GO_ON)
		return reason;
	if (!first_or_whole(q) ||
	    (q->proto != IPPROTO_TCP && q->proto != IPPROTO_UDP && q->proto != IPPROTO_ICMP))
		return QUOTE_TOO_SHORT;
	if (q->proto == IPPROTO_ICMP) {
		if (is_icmp4_error(q->icmp_type))
			return QUOTE_IS_ERROR;
		reason = icmp_query_4to6(q);
		if (reason != GO_ON)
			return reason;
	}
	proto = bib_proto(q->proto);
	w->bib = bib_find4(q->src4, q->sport, proto);
	s = w->bib == NONE
		    ? 0
		    : session_find(w->bib, q->dst4, proto == BIB_ICMP ? 0 : q->dport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry)
		return NO_SESSION_ERROR;
	incoming6(w, cfg, entry);
	pref64_embed(&cfg->pref64[w->pref64], q->dst4, &q->dst6);
	q->src6 = entry->address6;
	q->new_sport = entry->port6;
	q->new_dport = proto == BIB_ICMP ? entry->port6 : q->dport;
	reason = icmp_error_4to6(p, q->l4 - q->l3 + q->l4_len);
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

/* No BIB entry: section 3.5.1, 3.5.3; TCP silently (section 3.5.2.2, CLOSED). */
SUBPROG int no_bib(struct packet *p)
{
	if (!p)
		return HELPER_FAILED;

	__be32 address = p->dst4;

	if (!bpf_map_lookup_elem(&pool4_address, &address))
		return NOT_POOL4;
	return p->proto == IPPROTO_TCP	 ? NO_BIB_TCP
	       : p->proto == IPPROTO_UDP ? NO_BIB_UDP
					 : NO_BIB_ICMP;
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
		return no_bib(p);
	}
	slow = p->fragment &&
	       (p->proto == IPPROTO_ICMP || (p->proto == IPPROTO_UDP && p->l4_check == 0));
	if (slow) {
		fragment_remember(w, false, FRAGMENT_SLOW);
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_NAT64,
			       p->proto == IPPROTO_ICMP ? SLOW_FRAGMENTED_ICMP
							: SLOW_FRAGMENTED_UDP0);
	}
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
	int reason = parse4(skb, p, ETH_HLEN, false);

	if (reason == TRUNCATED || reason == BAD_HEADER)
		return reason;
	if (bpf_ntohl(p->dst4) >> 28 == 14) {
		w->action = TC_ACT_OK;
		return PASS_MULTICAST;
	}
	if (reason != GO_ON)
		return reason;
	if (p->proto == IPPROTO_ICMP && first_or_whole(p) && is_icmp4_error(p->icmp_type))
		return error_4to6(skb, w, cfg);
	if (bad_source4(p->src4))
		return BAD_SOURCE;
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
	case TABLE_FULL: return answer4(skb, w, reason, ICMP4_UNREACH(1));
	}
	return reason;
}

/* Counts the verdict once and turns it into what tc does. */
static __always_inline int finish(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg,
				  int reason)
{
	__u32 mark = skb->mark & ~MARK_MASK;

	if (reason == TRANSLATED_6TO4 && w->hairpin) {
		reason = HAIRPINNED;
		skb->mark = mark | MARK_HAIRPIN;
		w->action = bpf_redirect(cfg->nat64_ifindex, 0);
	} else if (reason == TRANSLATED_6TO4 || reason == TRANSLATED_4TO6) {
		skb->mark = mark | (skb->mark & MARK_CLAT_OUT) | MARK_NAT64_OUT;
		w->action = TC_ACT_OK;
	} else if (w->action == TC_ACT_OK && reason != REFRAGMENT) {
		skb->mark = mark | MARK_NAT64_OUT;
	}
	count(reason);
	return w->action;
}

static __always_inline void start_work(struct __sk_buff *skb, struct work *w,
				       struct nat64_config *cfg)
{
	__u32 mark = skb->mark & MARK_MASK;

	w->flags = mark == MARK_HAIRPIN ? 0 : HOP_ADD_ONE;
	if (mark == MARK_REASSEMBLED)
		w->flags |= WAS_REASSEMBLED;
	w->action = TC_ACT_SHOT;
	w->hairpin = 0;
	w->bib = NONE;
	w->icmp6_source = cfg->icmp6_source;
	w->icmp4_source = cfg->icmp4_source;
	w->icmp_rate = cfg->icmp_rate;
	w->now = now_ns(cfg->clock_offset_ns);
	/* A redirected frame may carry another device's address. */
	if (skb->pkt_type != 0)
		bpf_skb_change_type(skb, 0);
}

SEC("tc")
int nat64(struct __sk_buff *skb)
{
	struct nat64_config *cfg = nat64_settings();
	__u32 zero = 0;
	struct work *w = bpf_map_lookup_elem(&scratch, &zero);
	int reason;

	if (!cfg || !w)
		return TC_ACT_SHOT;
	if (skb->protocol != bpf_htons(ETH_P_IPV6) && skb->protocol != bpf_htons(ETH_P_IP))
		return pass(PASS_NOT_IP);
	if ((skb->mark & MARK_MASK) != MARK_HAIRPIN && skb->mark & MARK_NAT64_OUT)
		return drop(LOOP);
	start_work(skb, w, cfg);
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		reason = nat64_6to4(skb, w, cfg);
		reason = answer_6to4(skb, w, reason);
	} else {
		reason = nat64_4to6(skb, w, cfg);
		reason = answer_4to6(skb, w, reason);
	}
	return finish(skb, w, cfg, reason);
}

/* What the slow path gives back: to a translator, or up the stack. */
SEC("tc")
int slow_in(struct __sk_buff *skb)
{
	struct nat64_config *cfg = nat64_settings();
	__u8 mac[ETH_ALEN];
	__u32 ifindex;

	if (!cfg || bpf_skb_load_bytes(skb, 0, mac, sizeof(mac)))
		return TC_ACT_SHOT;
	bpf_skb_change_type(skb, 0);
	if (mac[5] == SLOW_UP)
		return TC_ACT_OK;
	ifindex = mac[5] == SLOW_NAT64 ? cfg->nat64_ifindex : cfg->clat_ifindex;
	if (!ifindex)
		return TC_ACT_SHOT;
	skb->mark = (skb->mark & ~MARK_MASK) | MARK_REASSEMBLED;
	return bpf_redirect(ifindex, 0);
}

/* Run once by user space after loading: arms the timer, which then arms itself. */
SEC("tc")
int start_sweeper(struct __sk_buff *skb __attribute__((unused)))
{
	__u32 zero = 0;
	struct sweeper *element = bpf_map_lookup_elem(&sweeper, &zero);

	if (!element)
		return 1;
	bpf_timer_init(&element->timer, &sweeper, 1 /* CLOCK_MONOTONIC */);
	if (bpf_timer_set_callback(&element->timer, sweep_tick))
		return 2;
	return bpf_timer_start(&element->timer, SWEEP_PERIOD_NS, 0) ? 3 : 0;
}

/* One slice of the sweep at once; tests run it under their own clock. */
SEC("tc")
int sweep_now(struct __sk_buff *skb __attribute__((unused)))
{
	return sweep_slice();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
