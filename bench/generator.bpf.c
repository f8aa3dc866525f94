/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator of small packets, run by BPF_PROG_TEST_RUN with live frames: each run
 * writes the next flow's headers into a recycled frame and sends it. And the sink,
 * at tc ingress of the far end: what arrives is counted by its interface and dropped.
 */
/* First: libbpf's headers use its types. */
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stdbool.h>

#define HEADERS                                                                                    \
	64U /* bytes written anew for each packet: Ethernet, IPv6 and UDP, or more than IPv4 needs */
#define MAX_ENDPOINTS 1048576

/* Which end of a flow changes from flow to flow. */
enum vary {
	VARY_SOURCE = 0,      /* a client's address and port, by number */
	VARY_DESTINATION = 1, /* the same, towards the client */
	VARY_TABLE = 2,	      /* IPv4: source, destination and its port from the table */
};

struct pattern {
	__u32 action;	  /* XDP_DROP: only the generator's own cost */
	__u32 ifindex;	  /* to send from */
	__u32 flows;	  /* numbers go from 0 to flows - 1 */
	__u32 stride;	  /* from one packet's flow to the next one's */
	__u32 next;	  /* flow of the next packet */
	__u32 per_client; /* flows of one client's address */
	__u32 vary;
	__u32 remotes;	     /* addresses that the flows' other ends are spread over */
	__u8 frame[HEADERS]; /* of flow 0, with right checksums */
};

struct endpoint {
	__be32 remote;
	__be32 address;
	__be16 port;
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pattern);
} pattern SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_ENDPOINTS);
	__type(key, __u32);
	__type(value, struct endpoint);
} endpoints SEC(".maps");

/* RFC 1624: a checksum after a 16-bit word went from `old` to `new`. */
static __always_inline __u16 update(__u16 check, __u16 old, __u16 new)
{
	__u32 sum = (__u16)~check + (__u16)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline void put(__u16 *check, __be16 *field, __be16 value)
{
	*check = update(*check, *field, value);
	*field = value;
}

static __always_inline __be16 plus(__be16 field, __u32 n)
{
	return bpf_htons(bpf_ntohs(field) + n);
}

/* A client is a /64 of its own; a remote host differs in the last 16 bits, where RFC 6052 has IPv4's. */
static __always_inline void vary6(const struct pattern *p, void *data, __u32 flow)
{
	struct ipv6hdr *ip = data + ETH_HLEN;
	struct udphdr *udp = data + ETH_HLEN + sizeof(*ip);
	bool source = p->vary == VARY_SOURCE;
	__be16 *client = &(source ? &ip->saddr : &ip->daddr)->s6_addr16[3];
	__be16 *remote = &(source ? &ip->daddr : &ip->saddr)->s6_addr16[7];
	__be16 *port = source ? &udp->source : &udp->dest;

	put(&udp->check, client, plus(*client, flow / p->per_client));
	put(&udp->check, port, plus(*port, flow % p->per_client));
	put(&udp->check, remote, plus(*remote, flow % p->remotes));
}

/* Half of an IPv4 address, which is in the header's checksum too. */
static __always_inline void put4(struct iphdr *ip, struct udphdr *udp, __be16 *half, __be16 value)
{
	ip->check = update(ip->check, *half, value);
	put(&udp->check, half, value);
}

static __always_inline void vary4(const struct pattern *p, void *data, __u32 flow)
{
	struct iphdr *ip = data + ETH_HLEN;
	struct udphdr *udp = data + ETH_HLEN + sizeof(*ip);
	bool source = p->vary == VARY_SOURCE;
	__be16 *client = (__be16 *)(source ? &ip->saddr : &ip->daddr) + 1;
	__be16 *remote = (__be16 *)(source ? &ip->daddr : &ip->saddr) + 1;
	__be16 *port = source ? &udp->source : &udp->dest;

	put4(ip, udp, client, plus(*client, flow / p->per_client));
	put(&udp->check, port, plus(*port, flow % p->per_client));
	put4(ip, udp, remote, plus(*remote, flow % p->remotes));
}

static __always_inline void to_endpoint(void *data, const struct endpoint *to)
{
	struct iphdr *ip = data + ETH_HLEN;
	struct udphdr *udp = data + ETH_HLEN + sizeof(*ip);
	__be16 *halves = (__be16 *)&ip->saddr; /* the destination follows */
	const __be16 *new = (const __be16 *)to;

	put4(ip, udp, halves, new[0]);
	put4(ip, udp, halves + 1, new[1]);
	put4(ip, udp, halves + 2, new[2]);
	put4(ip, udp, halves + 3, new[3]);
	put(&udp->check, &udp->dest, to->port);
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 zero = 0, flow, i;
	struct pattern *p = bpf_map_lookup_elem(&pattern, &zero);
	struct endpoint *to;

	if (!p || data + HEADERS > end || !p->flows || !p->per_client || !p->remotes)
		return XDP_ABORTED;
	flow = p->next;
	p->next = flow + p->stride;
	if (p->next >= p->flows)
		p->next -= p->flows;
	for (i = 0; i < HEADERS / 4; i++)
		((__u32 *)data)[i] = ((const __u32 *)p->frame)[i];
	if (p->vary == VARY_TABLE) {
		to = bpf_map_lookup_elem(&endpoints, &flow);
		if (!to)
			return XDP_ABORTED;
		to_endpoint(data, to);
	} else if (((struct ethhdr *)data)->h_proto == bpf_htons(ETH_P_IPV6)) {
		vary6(p, data, flow);
	} else {
		vary4(p, data, flow);
	}
	return p->action == XDP_REDIRECT ? bpf_redirect(p->ifindex, 0) : p->action;
}

SEC("tc")
int sink(struct __sk_buff *skb __attribute__((unused)))
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Apache-2.0";
