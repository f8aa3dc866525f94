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
#include "fast.h"
#include "nat64_4to6.h"
#include "nat64_6to4.h"
#include "session.h"
#include "steer.h"
#include "trace.h"

/* Counts the verdict once and turns it into what tc does. */
static __always_inline int finish(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg,
				  int reason)
{
	__u32 mark = skb->mark & ~MARK_MASK;
	bool from_hairpin = (skb->mark & MARK_MASK) == MARK_HAIRPIN || w->hairpin;

	if (reason == TRANSLATED_6TO4 && w->hairpin) {
		reason = HAIRPINNED;
		skb->mark = mark | MARK_HAIRPIN;
		w->action = bpf_redirect(cfg->nat64_ifindex, 0);
	} else if (reason == TRANSLATED_6TO4 || reason == TRANSLATED_4TO6) {
		skb->mark = mark | (skb->mark & MARK_CLAT_OUT) | MARK_NAT64_OUT;
		w->action = TC_ACT_OK;
	} else if (w->action == TC_ACT_OK && reason != REFRAGMENT && from_hairpin &&
		   skb->protocol == bpf_htons(ETH_P_IP)) {
		/* An answer to what a host behind us sent: the way back is through us again. */
		skb->mark = mark | MARK_HAIRPIN;
		w->action = bpf_redirect(cfg->nat64_ifindex, 0);
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

	w->flags = mark == MARK_HAIRPIN ? FROM_HAIRPIN : HOP_ADD_ONE;
	if (mark == MARK_REASSEMBLED) {
		w->flags |= WAS_REASSEMBLED;
		count(CAME_REASSEMBLED);
	}
	w->flags |= octet_flags(&cfg->options, skb->protocol == bpf_htons(ETH_P_IPV6));
	w->action = TC_ACT_SHOT;
	w->hairpin = 0;
	w->bib = NONE;
	w->mark = skb->mark & ~MARK_MASK;
	w->resets = cfg->flags & CONFIG_RESET_ORPHANS;
	if (dry_run)
		__builtin_memset(&w->would, 0, sizeof(w->would));
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
		trace(skb, reason);
		reason = answer_6to4(skb, w, reason);
	} else {
		reason = nat64_4to6(skb, w, cfg);
		trace(skb, reason);
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

	if (dry_run || !element)
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

/* One more session for user space's on the BIB entry in the slot that skb->mark names: 1, or 0 where it is none. */
SEC("tc")
int hold_bib(struct __sk_buff *skb)
{
	struct bib_entry *entry = bib_at(skb->mark);

	return !dry_run && entry && hold(&entry->refs);
}

/* That one less. */
SEC("tc")
int release_bib(struct __sk_buff *skb)
{
	struct nat64_config *cfg = nat64_settings();

	return cfg ? bib_release(skb->mark, now_ns(cfg->clock_offset_ns)) : 0;
}

/* Sessions (skb->mark) and BIB entries (skb->priority) that user space brought. */
SEC("tc")
int add_counts(struct __sk_buff *skb)
{
	struct nat64_state *s = state();

	if (s) {
		add(&s->session_count, skb->mark);
		add(&s->bib_count, skb->priority);
	}
	return 0;
}

/* The BIB entry in the slot that skb->mark names, if it has no session left: user space ended it. */
SEC("tc")
int collect_bib(struct __sk_buff *skb)
{
	struct nat64_config *cfg = nat64_settings();

	return cfg ? bib_collect(skb->mark, now_ns(cfg->clock_offset_ns)) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
