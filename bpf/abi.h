/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every struct and number that the BPF programs share with user space. Fixed
 * width, explicitly padded, sizes asserted; dataplane/abi.py mirrors it, and a
 * test holds both against the objects' BTF. A change here is a new ABI_VERSION:
 * the maps are pinned under it, and sessions are carried over by user space.
 */
#ifndef V6N_ABI_H
#define V6N_ABI_H

#include <linux/in6.h>
#include <linux/types.h>

#define ABI_VERSION 1

#define MAX_PREF64 4	   /* pref64s of one NAT64 */
#define MAX_POOL 64	   /* pool4 ranges of one NAT64 */
#define MAX_FRAGMENTS 8192 /* datagrams in fragments at a time */
#define MAX_STATIC 16384   /* allowed sources, EAM entries, refused ranges */

/* skb->mark: ours are these five bits; packet-flow.md says who reads them. */
#define MARK_MASK 0xf8000000U
#define MARK_NAT64_OUT 0x10000000U   /* translated by nat64 */
#define MARK_CLAT_OUT 0x20000000U    /* translated by the CLAT */
#define MARK_STEER 0x40000000U	     /* shared address: goes to nat64 */
#define MARK_FRAG 0x80000000U	     /* the kernel fragments it smaller, for nat64 */
#define MARK_FRAG_CLAT 0x88000000U   /* the same, for the CLAT */
#define MARK_REASSEMBLED 0x08000000U /* whole again, from the slow path */
#define MARK_HAIRPIN 0x18000000U     /* second pass through nat64 */

/* The frame from and to the slow path: last byte of its destination MAC. */
#define SLOW_UP 0    /* up the host's stack */
#define SLOW_NAT64 1 /* to and from nat64 */
#define SLOW_CLAT 2  /* to and from the CLAT */

/* Index of the protocols that have a BIB (RFC 6146 section 3.1). */
enum bib_proto {
	BIB_TCP = 0,
	BIB_UDP = 1,
	BIB_ICMP = 2,
	BIB_PROTO_COUNT = 3,
};

/* RFC 6146 section 3.5.2.1; NO_STATE is for UDP and ICMP. */
enum tcp_state {
	STATE_CLOSED = 0,
	STATE_V4_INIT = 1,
	STATE_V6_INIT = 2,
	STATE_ESTABLISHED = 3,
	STATE_V4_FIN_RCV = 4,
	STATE_V6_FIN_RCV = 5,
	STATE_V4_FIN_V6_FIN_RCV = 6,
	STATE_TRANS = 7,
	STATE_COUNT = 8,
	STATE_NO_STATE = 8,
};

/* Indices of nat64_config.timeout_ns (RFC 6146 section 4). */
enum timer_kind {
	TIMER_TCP_EST = 0,
	TIMER_TCP_TRANS = 1,
	TIMER_TCP_INCOMING_SYN = 2,
	TIMER_UDP = 3,
	TIMER_ICMP = 4,
	TIMER_COUNT = 5,
};

/* A prefix of RFC 6052: length 32, 40, 48, 56, 64 or 96 bits. */
struct pref64 {
	struct in6_addr prefix;
	__u32 len;
};
_Static_assert(sizeof(struct pref64) == 20, "pref64");

/* Map nat64_config: two elements; nat64_active says which one is valid. */
struct nat64_config {
	__u64 timeout_ns[TIMER_COUNT];
	__u64 clock_offset_ns; /* added to the clock; only tests set it, and then the timer rests */
	struct pref64 pref64[MAX_PREF64];
	__u32 pref64_count;
	__u32 pool_count;
	struct in6_addr icmp6_source; /* of ICMPv6 errors that we make */
	__be32 icmp4_source;	      /* of ICMP errors that we make */
	__u32 lowest_ipv6_mtu;	      /* RFC 7915 section 4 */
	__u32 nat64_ifindex;	      /* takes redirected packets */
	__u32 clat_ifindex;	      /* takes what the slow path returns for the CLAT; 0: none */
	__u32 slow_ifindex;	      /* 0: no slow path */
	__u32 max_sessions;
	__u32 icmp_rate; /* errors a second and CPU that we make at most; 0: none */
	__u32 pad;
};
_Static_assert(sizeof(struct nat64_config) == 184, "nat64_config");

/* Map pool4: usable ranges, the first pool_count elements. */
#define POOL_SHARED 1U /* the node uses the other ports itself */
struct pool_range {
	__be32 address;
	__u16 first; /* host order, inclusive */
	__u16 last;
	__u32 flags;
};
_Static_assert(sizeof(struct pool_range) == 12, "pool_range");

/* Map pool4_address: the addresses of the pool and of static entries. */
struct pool_address {
	__u32 flags; /* POOL_SHARED */
};

/* Map sources, LPM: who may be translated. Value: __u32, 1 = allowed. */
struct source_key {
	__u32 prefixlen;
	struct in6_addr address;
};
_Static_assert(sizeof(struct source_key) == 20, "source_key");

/* Map destinations4, LPM: __u32, 1 = refused, 0 = opened by the operator. */
struct destination_key {
	__u32 prefixlen;
	__be32 address;
};
_Static_assert(sizeof(struct destination_key) == 8, "destination_key");

/* Map bib6: IPv6 transport address -> index into bib. */
struct bib6_key {
	struct in6_addr address;
	__be16 port;
	__u8 proto;  /* enum bib_proto */
	__u8 pref64; /* index: each pref64 is a NAT64 of its own */
};
_Static_assert(sizeof(struct bib6_key) == 20, "bib6_key");

/* Map bib4: IPv4 transport address -> index into bib. */
struct bib4_key {
	__be32 address;
	__be16 port;
	__u8 proto;
	__u8 pad;
};
_Static_assert(sizeof(struct bib4_key) == 8, "bib4_key");

/* Map bib: array of BIB entries. */
#define BIB_IN_USE 1U
#define BIB_STATIC 2U
#define BIB_DEAD_REFS 0x80000000U /* in refs: being removed, take no more */
struct bib_entry {
	struct in6_addr address6;
	__be32 address4;
	__be16 port6;
	__be16 port4;
	__u8 proto;
	__u8 pref64;
	__u8 flags;
	__u8 pad;
	__u32 refs; /* sessions on this entry */
	__u64 created_ns;
};
_Static_assert(sizeof(struct bib_entry) == 40, "bib_entry");

/* Map session_index: BIB entry and remote IPv4 address -> index into sessions. */
struct session_key {
	__u32 bib;
	__be32 remote4;
	__be16 remote_port; /* 0 for ICMP */
	__u16 pad;
};
_Static_assert(sizeof(struct session_key) == 12, "session_key");

/* Map sessions: array. An entry past its deadline is absent, collected or not. */
#define SESSION_IN_USE 1U
#define SESSION_HAIRPIN 2U /* the remote side is behind this NAT64 too */
#define SESSION_CLAIMED 4U /* alone: somebody is ending it, or taking its place */
struct session {
	__u64 deadline_ns;
	__u64 created_ns;
	__u64 bytes_6to4;
	__u64 bytes_4to6;
	__u32 bib;
	__be32 remote4;
	__be16 remote_port;
	__u8 proto;
	__u8 state; /* enum tcp_state */
	__u32 flags;
};
_Static_assert(sizeof(struct session) == 48, "session");

/* Map nat64_state: one element, the allocators' and the sweep's positions. */
struct nat64_state {
	__u32 sessions_used_to; /* indices below were handed out at least once */
	__u32 bib_used_to;
	__u32 sweep_position;
	__u32 sweep_rounds;
	__u32 session_count;
	__u32 bib_count;
};
_Static_assert(sizeof(struct nat64_state) == 24, "nat64_state");

/* Map fragments, LRU: what the first fragment of a datagram decided. */
enum fragment_verdict {
	FRAGMENT_TRANSLATE = 1,
	FRAGMENT_SLOW = 2,
	FRAGMENT_DROP = 3,
	FRAGMENT_HAIRPIN = 4,
};
struct fragment_key {
	struct in6_addr source; /* IPv4: the address in the last four bytes */
	struct in6_addr destination;
	__u32 id;
	__u8 proto;
	__u8 family; /* 4 or 6 */
	__u16 pad;
};
_Static_assert(sizeof(struct fragment_key) == 40, "fragment_key");
struct fragment {
	__u64 deadline_ns;
	__u32 bib;
	__u32 verdict;
	__u32 pref64;
	__u32 pad;
};
_Static_assert(sizeof(struct fragment) == 24, "fragment");

/* Map siit_config: two elements; siit_active says which one is valid. */
struct siit_config {
	struct pref64 pref64;
	struct in6_addr icmp6_source;
	__be32 icmp4_source;
	__u32 lowest_ipv6_mtu;
	__u32 slow_ifindex;
	__u32 icmp_rate;
};
_Static_assert(sizeof(struct siit_config) == 52, "siit_config");

/* Maps eam4 (key destination_key) and eam6 (key source_key), LPM (RFC 7757). */
struct eam {
	struct in6_addr address6;
	__be32 address4;
	__u8 len4;
	__u8 len6;
	__u16 pad;
};
_Static_assert(sizeof(struct eam) == 24, "eam");

#endif
