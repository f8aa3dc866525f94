/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stateless translation (RFC 7915) at ingress of clat-x: the CLAT of RFC 6877 and
 * explicit address mappings (RFC 7757). A tunnel client's 100.64/10 address is an
 * EAM into the CLAT's own /96; what has no EAM is in the pref64. One end at least
 * must have an EAM: this is no open translator. Between two of them, by pref64, a
 * packet passes twice (RFC 7757 section 4.2).
 */
#include "abi.h"
#include "answer.h"
#include "destinations.h"
#include "eam.h"
#include "parse.h"
#include "rfc6052.h"
#include "rfc7915.h"
#include "slow.h"
#include "trace.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct siit_config);
} siit_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} siit_active SEC(".maps");

static __always_inline struct siit_config *siit_settings(void)
{
	__u32 zero = 0, slot, *active = bpf_map_lookup_elem(&siit_active, &zero);

	if (!active)
		return 0;
	slot = *active & 1;
	return bpf_map_lookup_elem(&siit_config, &slot);
}

/* Which addresses of a packet had an EAM. */
enum { EAM_SOURCE = 1, EAM_DESTINATION = 2, EAM_ANY = 3 };

/* Both addresses of a packet into the other family, or NONE. */
SUBPROG __u32 map_6to4(struct packet *p, struct siit_config *cfg)
{
	if (!p || !cfg)
		return NONE;

	__u32 by_eam = 0;

	if (eam_6to4(&p->src6, &p->src4))
		by_eam |= EAM_SOURCE;
	else if (!pref64_covers(&cfg->pref64, &p->src6) ||
		 !pref64_extract(&cfg->pref64, &p->src6, &p->src4))
		return NONE;
	if (eam_6to4(&p->dst6, &p->dst4))
		by_eam |= EAM_DESTINATION;
	else if (!pref64_covers(&cfg->pref64, &p->dst6) ||
		 !pref64_extract(&cfg->pref64, &p->dst6, &p->dst4))
		return NONE;
	return by_eam;
}

/* The same; `without` are addresses that get no EAM, though they may have one. */
SUBPROG __u32 map_4to6(struct packet *p, struct siit_config *cfg, __u32 without)
{
	if (!p || !cfg)
		return 0;

	__u32 by_eam = 0;

	if (!(without & EAM_SOURCE) && eam_4to6(p->src4, &p->src6))
		by_eam |= EAM_SOURCE;
	else
		pref64_embed(&cfg->pref64, p->src4, &p->src6);
	if (!(without & EAM_DESTINATION) && eam_4to6(p->dst4, &p->dst6))
		by_eam |= EAM_DESTINATION;
	else
		pref64_embed(&cfg->pref64, p->dst4, &p->dst6);
	return by_eam;
}

/*
 * Whether a mapped IPv4 address, which came from the pref64, is one of ours: then
 * the packet goes back into IPv6 at once (RFC 7757 section 4.2.2).
 */
static __always_inline bool has_eam4(__be32 address)
{
	struct destination_key key = {.prefixlen = 32, .address = address};

	return bpf_map_lookup_elem(&eam4, &key) != 0;
}

/* Whether a destination is closed to those with an EAM: reached here, it would pass the NAT64's policy by. */
static __always_inline bool closed4(__be32 address)
{
	return refused4(address) && !has_eam4(address);
}

/* IPv4 of the NAT64 is for the internet, unless it is for one of ours: routed here else, it would loop. */
static __always_inline bool may_enter(const struct work *w, __u32 by_eam)
{
	return !(w->flags & FROM_NAT64) || by_eam & EAM_DESTINATION;
}

/* ICMP in fragments: its checksum needs the whole (RFC 7915 section 5.2), so to the slow path. */
static __always_inline bool slow_fragment(const struct packet *p, bool from6)
{
	if (!p->fragment)
		return false;
	return p->proto == (from6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

SUBPROG int error_6to4(struct __sk_buff *skb, struct work *w, struct siit_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p, *q = &w->q;
	struct in6_addr source = p->src6, destination = p->dst6;
	__u32 mapped, quoted;
	int reason = check_error6(skb, p);

	if (reason == GO_ON)
		reason = parse_quote6(skb, p, q);
	if (reason != GO_ON)
		return reason;
	quoted = map_6to4(q, cfg);
	if (quoted == NONE || !quoted)
		return NO_MAPPING;
	mapped = map_6to4(p, cfg);
	if (mapped == NONE) {
		/*
		 * A router of the IPv6 network reports to the quoted packet's source: it has no
		 * IPv4 address, we lend it one (RFC 6791).
		 */
		if (!in6_equal(&destination, &q->src6))
			return NO_MAPPING;
		p->src4 = lent4(&cfg->options, &source, cfg->icmp4_source);
		p->dst4 = q->src4;
	} else if (!mapped) {
		return SOURCE_NOT_ALLOWED;
	}
	if (closed4(p->dst4))
		return DESTINATION_REFUSED;
	w->hairpin = !(quoted & EAM_SOURCE) && has_eam4(q->src4);
	reason = icmp_error_6to4(p, q->fragment_header, &cfg->options);
	return reason == GO_ON ? write_error_6to4(skb, p, q, w->flags) : reason;
}

SUBPROG int siit_6to4(struct __sk_buff *skb, struct work *w, struct siit_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	__u32 mapped;
	bool error;
	int reason = parse6(skb, p, ETH_HLEN, skb->len, false);

	if (reason != GO_ON)
		return reason;
	if (p->dst6.s6_addr[0] == 0xff) {
		w->action = TC_ACT_OK;
		return PASS_MULTICAST;
	}
	if (bad_source6(&p->src6))
		return BAD_SOURCE;
	error = p->proto == IPPROTO_ICMPV6 && !p->fragment && p->icmp_error;
	mapped = error ? 1 : map_6to4(p, cfg);
	if (mapped == NONE)
		return NO_MAPPING;
	if (!mapped)
		return SOURCE_NOT_ALLOWED;
	if (p->refused != GO_ON)
		return p->refused;
	if (error)
		return error_6to4(skb, w, cfg);
	w->hairpin = !(mapped & EAM_DESTINATION) && has_eam4(p->dst4);
	if (first_or_whole(p)) {
		if (p->proto == IPPROTO_UDP && p->l4_check == 0)
			return UDP_NO_CHECKSUM;
		reason = p->proto == IPPROTO_ICMPV6 ? icmp_query_6to4(p) : GO_ON;
		if (reason != GO_ON)
			return reason;
	}
	if (closed4(p->dst4))
		return DESTINATION_REFUSED;
	if (slow_fragment(p, true))
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_CLAT, SLOW_FRAGMENTED_ICMP);
	return write_6to4(skb, p, w->flags);
}

SUBPROG int error_4to6(struct __sk_buff *skb, struct work *w, struct siit_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p, *q = &w->q;
	__u32 outer = 0, quoted = 0, by_eam;
	int reason = check_error4(skb, p, w->flags);

	if (reason == GO_ON)
		reason = parse_quote4(skb, p, q);
	if (reason != GO_ON)
		return reason;
	/* RFC 7757 section 4.2.1: who reports, if it is the quoted packet's destination, and that one. */
	if (w->flags & FROM_HAIRPIN) {
		quoted = EAM_DESTINATION;
		outer = p->src4 == q->dst4 ? EAM_SOURCE : 0;
	}
	by_eam = map_4to6(p, cfg, outer);
	if (!may_enter(w, by_eam))
		return LOOP;
	if (!by_eam)
		return SOURCE_NOT_ALLOWED;
	if (!map_4to6(q, cfg, quoted))
		return NO_MAPPING;
	reason = icmp_error_4to6(p, q->l4 - q->l3 + q->l4_len, &cfg->options);
	return reason == GO_ON ? write_error_4to6(skb, p, q, w->flags) : reason;
}

SUBPROG int siit_4to6(struct __sk_buff *skb, struct work *w, struct siit_config *cfg)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	struct packet *p = &w->p;
	__u32 by_eam;
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
	if (first_or_whole(p) && p->proto == IPPROTO_ICMP) {
		reason = icmp_query_4to6(p);
		if (reason != GO_ON)
			return reason;
	}
	by_eam = map_4to6(p, cfg, w->flags & FROM_HAIRPIN ? EAM_SOURCE : 0);
	if (!may_enter(w, by_eam))
		return LOOP;
	if (!by_eam)
		return SOURCE_NOT_ALLOWED;
	if (p->proto == IPPROTO_IGMP)
		return UNKNOWN_ICMP; /* of one hop (RFC 7915 section 4.2) */
	if (slow_fragment(p, false))
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_CLAT, SLOW_FRAGMENTED_ICMP);
	reason = fragment_udp0(skb, w, cfg);
	if (reason == GO_ON)
		reason = check_udp0(p, &cfg->options);
	if (reason != GO_ON)
		return reason;
	/* Hairpinned ones have the size that their IPv6 sender gave them. */
	if (!(w->flags & (WAS_REASSEMBLED | FROM_HAIRPIN)) &&
	    must_refragment(skb, p, cfg->lowest_ipv6_mtu))
		return refragment(skb, w, MARK_FRAG_CLAT);
	reason = write_4to6(skb, p, w->flags);
	if (reason == TRANSLATED_4TO6 && must_cut(p, w->flags, cfg->lowest_ipv6_mtu))
		return to_slow(skb, w, cfg->slow_ifindex, SLOW_UP, SLOW_TOO_BIG);
	return reason;
}

static __always_inline int answer(struct __sk_buff *skb, struct work *w, int reason, bool from6)
{
	if (reason == ROUTING_HEADER)
		return answer6(skb, w, reason, ICMP6_BAD_FIELD, w->p.pointer);
	if (reason == SOURCE_ROUTE)
		return answer4(skb, w, reason, ICMP4_UNREACH(5));
	if (reason == UNKNOWN_PROTOCOL)
		return from6 ? answer6(skb, w, reason, ICMP6_UNREACH(4), 0)
			     : answer4(skb, w, reason, ICMP4_UNREACH(2));
	if (reason == SOURCE_NOT_ALLOWED || reason == NO_MAPPING || reason == DESTINATION_REFUSED)
		return from6 ? answer6(skb, w, reason, ICMP6_PROHIBITED, 0)
			     : answer4(skb, w, reason, ICMP4_UNREACH(13));
	return reason;
}

static __always_inline void start_work(struct __sk_buff *skb, struct work *w,
				       struct siit_config *cfg, __u32 mark)
{
	bool from6 = skb->protocol == bpf_htons(ETH_P_IPV6);

	w->flags = mark == MARK_HAIRPIN ? FROM_HAIRPIN : HOP_ADD_ONE;
	if (mark == MARK_REASSEMBLED)
		w->flags |= WAS_REASSEMBLED;
	if (mark & MARK_NAT64_OUT && mark != MARK_HAIRPIN && !from6)
		w->flags |= FROM_NAT64;
	w->flags |= octet_flags(&cfg->options, from6);
	w->action = TC_ACT_SHOT;
	w->hairpin = 0;
	w->icmp6_source = cfg->icmp6_source;
	w->icmp4_source = cfg->icmp4_source;
	w->icmp_rate = cfg->icmp_rate;
	w->now = now_ns(0);
	if (skb->pkt_type != 0)
		bpf_skb_change_type(skb, 0);
}

SEC("tc")
int siit(struct __sk_buff *skb)
{
	struct siit_config *cfg = siit_settings();
	__u32 zero = 0, mark = skb->mark & MARK_MASK;
	struct work *w = bpf_map_lookup_elem(&scratch, &zero);
	int reason;

	if (!cfg || !w)
		return TC_ACT_SHOT;
	if (skb->protocol != bpf_htons(ETH_P_IPV6) && skb->protocol != bpf_htons(ETH_P_IP))
		return pass(PASS_NOT_IP);
	if (mark & MARK_CLAT_OUT)
		return drop(LOOP);
	start_work(skb, w, cfg, mark);
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		reason = siit_6to4(skb, w, cfg);
		trace(skb, reason);
		reason = answer(skb, w, reason, true);
	} else {
		reason = siit_4to6(skb, w, cfg);
		trace(skb, reason);
		reason = answer(skb, w, reason, false);
	}
	if (reason == TRANSLATED_6TO4 && w->hairpin) {
		reason = HAIRPINNED;
		skb->mark = (skb->mark & ~MARK_MASK) | MARK_HAIRPIN;
		w->action = bpf_redirect(cfg->clat_ifindex, 0);
	} else if (reason == TRANSLATED_6TO4 || reason == TRANSLATED_4TO6) {
		w->action = TC_ACT_OK;
	}
	if (w->action == TC_ACT_OK && reason != REFRAGMENT)
		skb->mark = (skb->mark & ~MARK_MASK) | MARK_CLAT_OUT;
	count(reason);
	return w->action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
