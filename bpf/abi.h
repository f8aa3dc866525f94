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

#define ABI_VERSION 2

#define MAX_PREF64 4		 /* pref64s of one NAT64 */
#define MAX_POOL 1024		 /* pool4 ranges of one NAT64 */
#define MAX_RANGES_OF_ADDRESS 64 /* of a shared address; the loader refuses more */
#define MAX_GROUPS 16		 /* groups of pool4 ranges, chosen by source or mark */
#define MAX_CLIENT_BLOCKS 32	 /* port blocks of one client */
#define MAX_FRAGMENTS 8192	 /* datagrams in fragments at a time */
#define MAX_STATIC 16384	 /* allowed sources, EAM entries, refused ranges */

/* skb->mark: ours are these five bits; packet-flow.md says who reads them. */
#define MARK_MASK 0xf8000000U
#define MARK_NAT64_OUT 0x10000000U   /* translated by nat64 */
#define MARK_CLAT_OUT 0x20000000U    /* translated by the CLAT */
#define MARK_STEER 0x40000000U	     /* shared address: goes to nat64 */
#define MARK_FRAG 0x80000000U	     /* the kernel fragments it smaller, for nat64 */
#define MARK_FRAG_CLAT 0x88000000U   /* the same, for the CLAT */
#define MARK_REASSEMBLED 0x08000000U /* whole again, from the slow path */
#define MARK_HAIRPIN 0x18000000U     /* second pass through nat64, or through siit */

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

/*
 * A group of pool4 ranges, `count` from `first` on. A packet whose mark matches
 * (the operator's bits only) is served by it, else its source says by which.
 */
struct pool_group {
	__u32 first;
	__u32 count;
	__u32 mark;
	__u32 mark_mask; /* 0: not chosen by mark */
};
_Static_assert(sizeof(struct pool_group) == 16, "pool_group");

/* A prefix of RFC 6052: length 32, 40, 48, 56, 64 or 96 bits. */
struct pref64 {
	struct in6_addr prefix;
	__u32 len;
};
_Static_assert(sizeof(struct pref64) == 20, "pref64");

#define CONFIG_ADDRESS_DEPENDENT 1U /* filtering (RFC 6146 section 3.5): by remote address */
#define CONFIG_RESET_ORPHANS 2U	    /* TCP of no session is answered with RST */
#define CONFIG_LOG 4U		    /* who has which ports goes to log_events */

/* What RFC 7915 leaves to the operator, of one translator. */
#define OCTET_FIXED 0x100U /* in tos and traffic_class: set to the low byte; else copied */
#define DROP_UDP0 1U	   /* IPv4 UDP without checksum is dropped, not summed (section 4.5) */
#define STATELESS_TOO 2U   /* nat64: ICMP errors of no session may be about an explicit mapping */
struct translation_options {
	__u32 tos;	     /* of all that becomes IPv4 */
	__u32 traffic_class; /* of all that becomes IPv6 */
	__u32 flags;
	__be32 icmp_pool;     /* RFC 6791: addresses that IPv6 routers' errors get */
	__u32 icmp_pool_size; /* 0: no pool */
	__u32 mtu4;	      /* of the largest IPv4 link that is a next hop */
	__u32 mtu6;
};
_Static_assert(sizeof(struct translation_options) == 28, "translation_options");

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
	__u32 flags;	 /* CONFIG_* */
	__u32 group_count;
	__u32 block_shift;     /* a port block has 1 << this many ports; 0: no blocks */
	__u32 client_ports;    /* of one client, of each protocol; 0: no limit */
	__u32 client_sessions; /* 0: no limit */
	__u32 client_rate;     /* new sessions a second; 0: no limit */
	struct translation_options options;
	struct pool_group groups[MAX_GROUPS];
};
_Static_assert(sizeof(struct nat64_config) == 488, "nat64_config");

/* Map pool4: usable ranges, the first pool_count elements. */
#define POOL_SHARED 1U /* the node uses the other ports itself */
#define POOL_PROTO 2U  /* << enum bib_proto: the range serves that protocol */
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
	__u32 first; /* its ranges lie in pool4 from here on, */
	__u32 count; /* among so many */
};
_Static_assert(sizeof(struct pool_address) == 12, "pool_address");

/*
 * Map sources, LPM: who may be translated, and as which client limits, port
 * blocks and the log know it: the first client_len bits of its address, or, for a
 * device of a tunnel, `client` with all of its addresses (client_len 0).
 */
struct source {
	struct in6_addr client;
	__u32 client_len;
	__u32 group; /* of pool4 ranges */
};
_Static_assert(sizeof(struct source) == 24, "source");
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
#define BIB_ENDED 4U		  /* by user space: found by nobody, its last session releases it */
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
	__u32 client; /* index into clients + 1; 0: nobody's, as a static entry */
	__u32 block;  /* index into blocks + 1; 0: of no block */
};
_Static_assert(sizeof(struct bib_entry) == 48, "bib_entry");

/* Map client_index: -> index into clients. */
struct client_key {
	struct in6_addr address; /* masked to len */
	__u32 len;
};
_Static_assert(sizeof(struct client_key) == 20, "client_key");

/* Map clients: array. */
#define CLIENT_IN_USE 1U
struct client {
	struct in6_addr address;
	__u32 len;
	__u32 flags;
	__u32 refs; /* BIB entries and port blocks; BIB_DEAD_REFS as there */
	__u32 sessions;
	__u32 ports[BIB_PROTO_COUNT]; /* BIB entries */
	__u32 opened;		      /* sessions in this second */
	__u64 second;
	__u32 blocks[MAX_CLIENT_BLOCKS]; /* index into blocks + 1; 0: none */
};
_Static_assert(sizeof(struct client) == 184, "client");

/* Map block_index: -> index into blocks. */
struct block_key {
	__be32 address;
	__u16 first; /* host order, a multiple of the block's size */
	__u16 pad;
};
_Static_assert(sizeof(struct block_key) == 8, "block_key");

/* Map blocks: array of port blocks (RFC 6888 section 3); one client has one, for all protocols. */
struct port_block {
	__be32 address;
	__u16 first; /* usable ports, host order, inclusive */
	__u16 last;
	__u32 owner;  /* index into clients + 1; 0: free */
	__u32 refs;   /* BIB entries; BIB_DEAD_REFS as there */
	__u32 protos; /* POOL_PROTO bits of its range */
	__u32 group;
	__u32 used[BIB_PROTO_COUNT];
	__u16 start; /* the multiple that it is known by */
	__u16 pad;
	__u64 taken_ns;
	__u64 idle_ns; /* when its last BIB entry went */
};
_Static_assert(sizeof(struct port_block) == 56, "port_block");

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
	__u16 fast_seen[2]; /* from IPv6, from IPv4: where and when its way was looked at */
	__u32 pad;
};
_Static_assert(sizeof(struct session) == 56, "session");

/* Map stored_syns: SYNs from IPv4 that nobody waits for yet (RFC 6146 section 3.5.2.2). */
#define MAX_STORED_SYNS 4096
#define SYN_BYTES 80U /* IPv4 header with options, TCP header without */
struct syn_key {
	__be32 remote4;
	__be32 address4;
	__be16 remote_port;
	__be16 port4;
};
_Static_assert(sizeof(struct syn_key) == 12, "syn_key");
struct stored_syn {
	__u64 deadline_ns;
	__u32 len;
	__u8 packet[SYN_BYTES];
	__u32 pad;
};
_Static_assert(sizeof(struct stored_syn) == 96, "stored_syn");

/* Map remotes, under address-dependent filtering: remote address of a BIB entry -> its sessions. */
struct remote_key {
	__u32 bib;
	__be32 remote4;
};
_Static_assert(sizeof(struct remote_key) == 8, "remote_key");

/* Ring buffer log_events: who has which ports. Destinations are not logged. */
enum log_kind {
	LOG_BLOCK_TAKEN = 1,
	LOG_BLOCK_GIVEN_BACK = 2,
	LOG_BIB_CREATED = 3,
	LOG_BIB_DELETED = 4,
};
#define LOG_ALL_PROTOS 0xff
struct log_event {
	__u64 time_ns;	/* CLOCK_MONOTONIC, coarse */
	__u64 began_ns; /* when it was taken or created */
	struct in6_addr client;
	__be32 address4;
	__u16 first; /* ports, host order, inclusive */
	__u16 last;
	__u16 port6; /* of a BIB entry, host order */
	__u8 kind;
	__u8 proto; /* enum bib_proto, or LOG_ALL_PROTOS */
	__u8 client_len;
	__u8 pad[11];
};
_Static_assert(sizeof(struct log_event) == 56, "log_event");

/* Ring buffer slow_events: packets that BPF cannot originate; the slow path does. */
enum slow_event_kind {
	SLOW_EVENT_SYN = 1,   /* nobody came for this stored SYN: port unreachable */
	SLOW_EVENT_PROBE = 2, /* TCP_EST expired: probe the host (RFC 6146 section 3.5.2.2) */
};
struct slow_event {
	__u64 time_ns;
	__u32 kind;
	__u32 len;
	struct in6_addr src6; /* of the probe */
	struct in6_addr dst6;
	__be16 sport;
	__be16 dport;
	__u8 packet[SYN_BYTES];
	__u32 pad;
};
_Static_assert(sizeof(struct slow_event) == 136, "slow_event");

/* Map trace_control: one element; who watches refused packets renews it. */
struct trace_control {
	__u64 until_ns; /* CLOCK_MONOTONIC */
	__u32 rate;	/* packets a second and CPU */
	__u32 pad;
};
_Static_assert(sizeof(struct trace_control) == 16, "trace_control");

/* Ring buffer trace_events: refused packets, while somebody watches. */
#define TRACE_BYTES 128U
struct trace_event {
	__u64 time_ns;
	__u32 reason;
	__u32 ifindex; /* where it was refused */
	__u32 mark;
	__u32 length;	/* of the IP packet */
	__u32 captured; /* of `packet` */
	__u16 family;	/* 4 or 6 */
	__u16 pad;
	__u8 packet[TRACE_BYTES];
};
_Static_assert(sizeof(struct trace_event) == 160, "trace_event");

/*
 * Map fast_pairs: packets that come in at one interface may leave by the other
 * without the host's stack, while the lease runs. Nobody renews it: nothing may.
 */
#define FAST_FROM6 1U /* the direction: 6to4 */
#define FAST_FROM4 2U
#define FAST_IN_L3 4U  /* that interface's packets have no link-layer header */
#define FAST_OUT_L3 8U /* and this one's have none */
#define FAST_NAMES 255 /* an interface's name in fast_seen, from 1 */
struct fast_key {
	__u32 ingress; /* interfaces, by index */
	__u32 egress;
};
_Static_assert(sizeof(struct fast_key) == 8, "fast_key");
struct fast_pair {
	__u32 flags;
	__u32 name; /* of the interface where they come in */
};
_Static_assert(sizeof(struct fast_pair) == 8, "fast_pair");

/* Map fast_lease: one element. The time is the kernel's monotonic clock. */
struct fast_lease {
	__u64 deadline_ns;
	__u32 epoch; /* another one each second: what was looked at before is looked at again */
	__u32 pad;
};
_Static_assert(sizeof(struct fast_lease) == 16, "fast_lease");

/* Map nat64_state: one element, the allocators' and the sweep's positions. */
struct nat64_state {
	__u32 sessions_used_to; /* indices below were handed out at least once */
	__u32 bib_used_to;
	__u32 sweep_position;
	__u32 sweep_rounds;
	__u32 session_count;
	__u32 bib_count;
	__u32 clients_used_to;
	__u32 blocks_used_to;
	__u32 client_position;
	__u32 client_count;
	__u32 block_count;
	__u32 pad;
};
_Static_assert(sizeof(struct nat64_state) == 48, "nat64_state");

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
	struct translation_options options;
	__u32 clat_ifindex; /* takes hairpinned packets (RFC 7757 section 4.2.2) */
};
_Static_assert(sizeof(struct siit_config) == 84, "siit_config");

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
