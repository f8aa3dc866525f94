/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path: at ingress of LAN, tunnel and uplink a packet of a known session
 * is translated and sent straight out, past the host's stack and past nat64. Only
 * the plain case, and only between interfaces for which user space holds a lease:
 * no rule of the operator's may want to see the packet. Whatever is unusual goes
 * on to the interface path, untouched, which does the same, slower.
 *
 * Nothing is refused here. Up to the point of no return a doubt means "go on".
 */
#ifndef V6N_FAST_H
#define V6N_FAST_H

#include "nat64_4to6.h"
#include "nat64_6to4.h"
#include "session.h"
#include "slow.h"
#include "steer.h"

#define GO_SLOW NEXT_FILTER
#define AF_INET 2
#define AF_INET6 10
#define MIN_TCP_HEADER 20U
#define FAST_REFUSED 0 /* in fast_seen: looked at, and not for the fast path */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct fast_key);
	__type(value, struct fast_pair);
} fast_pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fast_lease);
} fast_lease SEC(".maps");

/* What the fast path knows of a packet beside struct packet. */
struct fast {
	struct bpf_fib_lookup fib;
	__u32 length;	  /* of the IP packet, as received */
	__u32 tcp_header; /* 0: UDP */
	__u32 epoch;
	__u32 flags;   /* of its pair of interfaces */
	__u32 options; /* flags of rfc7915.h */
	bool no_neighbour;
};

/* Later fragments, other protocols, flags that move the state machine: not here. */
static __always_inline bool fast_transport(struct packet *p, struct fast *f, const __u8 *l4,
					   const void *end)
{
	p->sport = *(__be16 *)&l4[0];
	p->dport = *(__be16 *)&l4[2];
	p->l4_here = p->l4_len;
	p->fragment = p->more = p->fragment_header = 0;
	p->fragment_offset = 0;
	p->tcp_flags = 0;
	f->tcp_header = 0;
	if (p->proto == IPPROTO_UDP) {
		p->l4_check = *(__u16 *)&l4[6];
		return p->l4_check && p->l4_len >= UDP_HEADER;
	}
	if ((const void *)(l4 + MIN_TCP_HEADER) > end)
		return false;
	p->tcp_flags = l4[13];
	f->tcp_header = (l4[12] >> 4) * 4;
	return f->tcp_header >= MIN_TCP_HEADER && p->l4_len >= f->tcp_header &&
	       !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static __always_inline bool fast_parse6(struct packet *p, struct fast *f, const struct ipv6hdr *ip6,
					const void *end, __u32 present)
{
	__u32 l4_len = bpf_ntohs(ip6->payload_len);

	if (ip6->version != 6 || ip6->hop_limit <= 1)
		return false;
	if (ip6->nexthdr != IPPROTO_TCP && ip6->nexthdr != IPPROTO_UDP)
		return false;
	f->length = IP6_HEADER + l4_len;
	if (f->length > present || l4_len > MAX_PACKET - IP_HEADER)
		return false;
	p->src6 = ip6->saddr;
	p->dst6 = ip6->daddr;
	p->tos = ip6->priority << 4 | ip6->flow_lbl[0] >> 4;
	p->ttl = ip6->hop_limit;
	p->proto = ip6->nexthdr;
	p->l4_len = l4_len;
	return fast_transport(p, f, (const __u8 *)(ip6 + 1), end);
}

static __always_inline bool fast_parse4(struct packet *p, struct fast *f, const struct iphdr *ip,
					const void *end, __u32 present)
{
	__u16 field = bpf_ntohs(ip->frag_off);

	if (ip->version != 4 || ip->ihl != 5 || ip->ttl <= 1 || field & (IP_MF | IP_OFFSET))
		return false;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return false;
	f->length = bpf_ntohs(ip->tot_len);
	if (f->length < IP_HEADER || f->length > present || ip_check(ip) != 0)
		return false;
	p->src4 = ip->saddr;
	p->dst4 = ip->daddr;
	p->tos = ip->tos;
	p->ttl = ip->ttl;
	p->proto = ip->protocol;
	p->df = !!(field & IP_DF);
	p->l4_len = f->length - IP_HEADER;
	return fast_transport(p, f, (const __u8 *)(ip + 1), end);
}

/*
 * Reads the packet. A link without link-layer header is known by the protocol not
 * standing where Ethernet has it; that it is one, the pair's flags say again.
 */
static __always_inline bool fast_parse(struct __sk_buff *skb, struct packet *p, struct fast *f,
				       bool from6)
{
	__u32 header = from6 ? IP6_HEADER : IP_HEADER, all = ETH_HLEN + header + MIN_TCP_HEADER;
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + all > end && skb->data_end - skb->data < skb->len) {
		if (bpf_skb_pull_data(skb, skb->len < all ? skb->len : all))
			return false;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	/* A datagram of under six bytes on a link without header: not worth a case. */
	if (data + ETH_HLEN + header + UDP_HEADER > end)
		return false;
	p->l3 = *(__be16 *)(data + offsetof(struct ethhdr, h_proto)) == skb->protocol ? ETH_HLEN
										      : 0;
	p->l4 = p->l3 + header;
	if (p->l3)
		data += ETH_HLEN;
	return from6 ? fast_parse6(p, f, data, end, skb->len - p->l3)
		     : fast_parse4(p, f, data, end, skb->len - p->l3);
}

/* Only what the state machine lets pass without a step that matters; the rest has time. */
static __always_inline bool fast_session(const struct session *s)
{
	return !(s->flags & SESSION_HAIRPIN) &&
	       (s->state == STATE_NO_STATE || s->state == STATE_ESTABLISHED ||
		s->state == STATE_V4_FIN_RCV || s->state == STATE_V6_FIN_RCV);
}

static __always_inline void fast_route6(struct bpf_fib_lookup *fib, const struct in6_addr *src,
					const struct in6_addr *dst)
{
	fib->family = AF_INET6;
	*(struct in6_addr *)fib->ipv6_src = *src;
	*(struct in6_addr *)fib->ipv6_dst = *dst;
}

static __always_inline void fast_route4(struct bpf_fib_lookup *fib, __be32 src, __be32 dst)
{
	fib->family = AF_INET;
	fib->ipv4_src = src;
	fib->ipv4_dst = dst;
}

/* Where a packet as it came would be routed, or its answer: an interface, or NONE. */
static __always_inline __u32 fast_way(struct __sk_buff *skb, const struct packet *p, bool from6,
				      bool back)
{
	struct bpf_fib_lookup fib = {};
	long result;

	fib.ifindex = skb->ifindex;
	fib.l4_protocol = p->proto;
	fib.sport = back ? p->dport : p->sport;
	fib.dport = back ? p->sport : p->dport;
	if (from6)
		fast_route6(&fib, back ? &p->dst6 : &p->src6, back ? &p->src6 : &p->dst6);
	else
		fast_route4(&fib, back ? p->dst4 : p->src4, back ? p->src4 : p->dst4);
	result = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	/* In these the interface is known, and it alone is asked for. */
	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH ||
			       result == BPF_FIB_LKUP_RET_FRAG_NEEDED
		       ? fib.ifindex
		       : NONE;
}

/*
 * Whether the host's stack would bring the packet to nat64, and whether its source
 * is where it comes from: what rp_filter asks for IPv4, and our own table for IPv6
 * (a forged source may not enter a translator). Routes are asked, once a second
 * and session, so that a change of theirs is followed.
 */
SUBPROG int fast_verify(struct __sk_buff *skb, struct work *w, struct nat64_config *cfg, bool from6)
{
	if (!w || !cfg)
		return 0;

	struct packet *p = &w->p;
	struct pool_address *pool;
	__be32 address = p->dst4;

	if (fast_way(skb, p, from6, true) != skb->ifindex)
		return 0;
	if (!from6) {
		/* To a shared address packets are steered (rule 62), before any route is asked. */
		pool = bpf_map_lookup_elem(&pool4_address, &address);
		if (pool && pool->flags & POOL_SHARED)
			return 1;
	}
	return fast_way(skb, p, from6, false) == cfg->nat64_ifindex;
}

/* Whether the way of the session's packets was found good in this second, on this interface. */
static __always_inline bool fast_verified(struct __sk_buff *skb, struct work *w,
					  struct nat64_config *cfg, struct session *s,
					  struct fast *f, __u32 name, bool from6)
{
	__u16 *seen = &s->fast_seen[from6 ? 0 : 1];
	__u16 now = f->epoch & 0xff, good = name << 8 | now;

	if (*seen == good)
		return true;
	if (*seen == (FAST_REFUSED << 8 | now))
		return false;
	*seen = fast_verify(skb, w, cfg, from6) ? good : FAST_REFUSED << 8 | now;
	return *seen == good;
}

/*
 * The way out of the translated packet, with its next hop, and whether it fits:
 * of a super-packet each segment must.
 */
static __always_inline bool fast_route(struct __sk_buff *skb, struct packet *p, struct fast *f,
				       struct nat64_config *cfg, bool from6)
{
	__u32 header = from6 ? IP_HEADER : IP6_HEADER, size = header + p->l4_len;
	long result;

	if (skb->gso_size) {
		if (!f->tcp_header)
			return false;
		size = header + f->tcp_header + skb->gso_size;
	}
	if (size > MAX_PACKET)
		return false;
	__builtin_memset(&f->fib, 0, sizeof(f->fib));
	f->fib.ifindex = cfg->nat64_ifindex;
	f->fib.l4_protocol = p->proto;
	f->fib.sport = p->new_sport;
	f->fib.dport = p->new_dport;
	f->fib.tot_len = size;
	if (from6) {
		f->fib.tos = octet(p, f->options);
		fast_route4(&f->fib, p->src4, p->dst4);
	} else {
		f->fib.flowinfo = bpf_htonl((__u32)octet(p, f->options) << 20);
		fast_route6(&f->fib, &p->src6, &p->dst6);
	}
	result = bpf_fib_lookup(skb, &f->fib, sizeof(f->fib), 0);
	f->no_neighbour = result == BPF_FIB_LKUP_RET_NO_NEIGH;
	return result == BPF_FIB_LKUP_RET_SUCCESS || f->no_neighbour;
}

/* Whether this pair of interfaces has the permission, for this direction; gives the name of the first. */
static __always_inline __u32 fast_permitted(struct __sk_buff *skb, const struct packet *p,
					    struct fast *f, bool from6)
{
	struct fast_key key = {.ingress = skb->ifindex, .egress = f->fib.ifindex};
	struct fast_pair *pair = bpf_map_lookup_elem(&fast_pairs, &key);

	if (!pair || !(pair->flags & (from6 ? FAST_FROM6 : FAST_FROM4)) ||
	    !!(pair->flags & FAST_IN_L3) != (p->l3 == 0))
		return 0;
	f->flags = pair->flags;
	/* A link without link-layer addresses needs no neighbour. */
	return f->no_neighbour && !(f->flags & FAST_OUT_L3) ? 0 : pair->name;
}

/* The session of a packet from IPv6, and its translated addresses and ports. */
static __always_inline struct session *fast_map6(struct work *w, struct nat64_config *cfg)
{
	struct packet *p = &w->p;
	struct bib_entry *entry;
	struct session *s;

	w->pref64 = find_pref64(cfg, &p->dst6);
	if (w->pref64 >= MAX_PREF64 || !pref64_extract(&cfg->pref64[w->pref64], &p->dst6, &p->dst4))
		return 0;
	w->bib = bib_find6(&p->src6, p->sport, bib_proto(p->proto), w->pref64);
	if (w->bib == NONE)
		return 0;
	s = session_find(w->bib, p->dst4, p->dport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry || !bib_is6(entry, &p->src6, p->sport))
		return 0;
	outgoing4(p, entry);
	return s;
}

static __always_inline struct session *fast_map4(struct work *w, struct nat64_config *cfg)
{
	struct packet *p = &w->p;
	struct bib_entry *entry;
	struct session *s;

	w->bib = bib_find4(p->dst4, p->dport, bib_proto(p->proto));
	if (w->bib == NONE)
		return 0;
	s = session_find(w->bib, p->src4, p->sport, cfg, w->now);
	entry = bib_at(w->bib);
	if (!s || !entry || entry->address4 != p->dst4 || entry->port4 != p->dport)
		return 0;
	incoming6(w, cfg, entry);
	return s;
}

/* Past the point of no return: what fails now drops the packet. */
static __always_inline int fast_write(struct __sk_buff *skb, struct packet *p, struct fast *f,
				      bool from6)
{
	__u32 l3 = p->l3;
	union {
		struct iphdr ip;
		struct ipv6hdr ip6;
	} h;
	struct fragment_header unused;

	p->ttl--;
	if (from6)
		header4(&h.ip, p, f->options, skb->gso_size != 0);
	else
		header6(&h.ip6, &unused, p, f->options);
	/* What Ethernet padded to 60 bytes. */
	if (skb->len > l3 + f->length && bpf_skb_change_tail(skb, l3 + f->length, 0))
		return HELPER_FAILED;
	if (write_ports(skb, p, from6) != GO_ON ||
	    bpf_skb_change_proto(skb, bpf_htons(from6 ? ETH_P_IP : ETH_P_IPV6), 0))
		return HELPER_FAILED;
	if (!l3 && !(f->flags & FAST_OUT_L3)) {
		if (bpf_skb_change_head(skb, ETH_HLEN, 0))
			return HELPER_FAILED;
		l3 = ETH_HLEN;
	}
	/* A device may have summed the whole packet (CHECKSUM_COMPLETE). */
	if (from6 ? bpf_skb_store_bytes(skb, l3, &h.ip, sizeof(h.ip), BPF_F_RECOMPUTE_CSUM)
		  : bpf_skb_store_bytes(skb, l3, &h.ip6, sizeof(h.ip6), BPF_F_RECOMPUTE_CSUM))
		return HELPER_FAILED;
	skb->mark = (skb->mark & ~MARK_MASK) | MARK_NAT64_OUT;
	return from6 ? FAST_6TO4 : FAST_4TO6;
}

static __always_inline int fast_send(struct fast *f)
{
	struct bpf_redir_neigh hop = {.nh_family = f->fib.family};

	if (f->flags & FAST_OUT_L3)
		return bpf_redirect(f->fib.ifindex, 0);
	*(struct in6_addr *)hop.ipv6_nh = *(struct in6_addr *)f->fib.ipv6_dst;
	return bpf_redirect_neigh(f->fib.ifindex, &hop, sizeof(hop), 0);
}

static __always_inline int fast_path(struct __sk_buff *skb, bool from6)
{
	__u32 zero = 0, name;
	__u64 now = bpf_ktime_get_coarse_ns();
	struct fast_lease *lease = bpf_map_lookup_elem(&fast_lease, &zero);
	struct work *w = bpf_map_lookup_elem(&scratch, &zero);
	struct nat64_config *cfg = nat64_settings();
	struct session *s;
	struct fast f;
	int reason;

	if (dry_run || !lease || now >= lease->deadline_ns || !w || !cfg)
		return GO_SLOW;
	/* For another host, in a VLAN of this link, or already in our hands. */
	if (skb->pkt_type || skb->vlan_present || skb->mark & MARK_MASK)
		return GO_SLOW;
	f.epoch = lease->epoch;
	f.options = octet_flags(&cfg->options, from6);
	w->now = now + cfg->clock_offset_ns;
	if (!fast_parse(skb, &w->p, &f, from6))
		return GO_SLOW;
	s = from6 ? fast_map6(w, cfg) : fast_map4(w, cfg);
	if (!s || !fast_session(s))
		return GO_SLOW;
	if (!from6 && must_refragment(skb, &w->p, cfg->lowest_ipv6_mtu))
		return GO_SLOW;
	if (!fast_route(skb, &w->p, &f, cfg, from6))
		return GO_SLOW;
	name = fast_permitted(skb, &w->p, &f, from6);
	if (!name || !fast_verified(skb, w, cfg, s, &f, name, from6))
		return GO_SLOW;

	/* The point of no return. */
	session_packet(s, &w->p, from6, cfg, w->now, f.length);
	reason = fast_write(skb, &w->p, &f, from6);
	count(reason);
	return reason == HELPER_FAILED ? TC_ACT_SHOT : fast_send(&f);
}

SUBPROG int fast_any(struct __sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return fast_path(skb, true);
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return fast_path(skb, false);
	return GO_SLOW;
}

SEC("tc")
int fast(struct __sk_buff *skb)
{
	return fast_any(skb);
}

/* The same where the node shares its address with the NAT64: what is not fast is steered. */
SEC("tc")
int fast_steer(struct __sk_buff *skb)
{
	int verdict = fast_any(skb);

	return verdict == GO_SLOW ? steer(skb, false) : verdict;
}

#endif
