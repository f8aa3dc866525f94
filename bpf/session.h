/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions and the TCP state machine (RFC 6146 section 3.5), and their expiry: one
 * timer sweeps the array in slices. An entry past its deadline is absent for every
 * packet; the sweep only collects it.
 */
#ifndef V6N_SESSION_H
#define V6N_SESSION_H

#include "abi.h"
#include "answer.h"
#include "bib.h"
#include "clock.h"
#include "config.h"
#include "parse.h"
#include "syn.h"

#define SWEEP_SLICE 20000U
#define SWEEP_PERIOD_NS (250 * 1000000ULL)
/* To end a session takes microseconds, and this CPU's packets wait behind the timer: a few at once, and soon again. */
#define SWEEP_DUE 1000U
#define SWEEP_SOON_NS (5 * 1000000ULL)
#define REFRESH_SLACK_NS (SECOND_NS / 2) /* spares a write of the shared line per packet */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct session_key);
	__type(value, __u32);
} session_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, struct session);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 131072);
	__type(value, __u32);
} free_sessions SEC(".maps");

/* What a TCP segment is to the state machine; DATA is any other packet. */
enum tcp_event {
	EVENT_V6_SYN,
	EVENT_V4_SYN,
	EVENT_V6_FIN,
	EVENT_V4_FIN,
	EVENT_RST,
	EVENT_DATA,
	EVENT_SLOTS = 8, /* a power of two, so that the verifier sees the bound */
};

#define KEEP 0xf
#define NEXT(STATE, TIMER) ((STATE) << 4 | (TIMER))
#define EST TIMER_TCP_EST
#define TRANS TIMER_TCP_TRANS

/* RFC 6146 section 3.5.2.2 as one table: state and event give the next state and the timer.
 * CLOSED is what a session is created from; TIMEOUT is the sweep's business.
 */
static const __u8 transitions[STATE_COUNT * EVENT_SLOTS] = {
	[STATE_CLOSED * EVENT_SLOTS] = NEXT(STATE_V6_INIT, TRANS),
	NEXT(STATE_V4_INIT, TRANS),
	NEXT(STATE_CLOSED, KEEP),
	NEXT(STATE_CLOSED, KEEP),
	NEXT(STATE_CLOSED, KEEP),
	NEXT(STATE_CLOSED, KEEP),
	[STATE_V4_INIT * EVENT_SLOTS] = NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_V4_INIT, KEEP),
	NEXT(STATE_V4_INIT, KEEP),
	NEXT(STATE_V4_INIT, KEEP),
	NEXT(STATE_V4_INIT, KEEP),
	NEXT(STATE_V4_INIT, KEEP),
	[STATE_V6_INIT * EVENT_SLOTS] = NEXT(STATE_V6_INIT, TRANS),
	NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_V6_INIT, KEEP),
	NEXT(STATE_V6_INIT, KEEP),
	NEXT(STATE_V6_INIT, KEEP),
	NEXT(STATE_V6_INIT, KEEP),
	[STATE_ESTABLISHED * EVENT_SLOTS] = NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_RCV, KEEP),
	NEXT(STATE_TRANS, TRANS),
	NEXT(STATE_ESTABLISHED, EST),
	[STATE_V4_FIN_RCV * EVENT_SLOTS] = NEXT(STATE_V4_FIN_RCV, EST),
	NEXT(STATE_V4_FIN_RCV, EST),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, TRANS),
	NEXT(STATE_V4_FIN_RCV, EST),
	NEXT(STATE_V4_FIN_RCV, EST),
	NEXT(STATE_V4_FIN_RCV, EST),
	[STATE_V6_FIN_RCV * EVENT_SLOTS] = NEXT(STATE_V6_FIN_RCV, EST),
	NEXT(STATE_V6_FIN_RCV, EST),
	NEXT(STATE_V6_FIN_RCV, EST),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, TRANS),
	NEXT(STATE_V6_FIN_RCV, EST),
	NEXT(STATE_V6_FIN_RCV, EST),
	[STATE_V4_FIN_V6_FIN_RCV * EVENT_SLOTS] = NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	NEXT(STATE_V4_FIN_V6_FIN_RCV, KEEP),
	[STATE_TRANS * EVENT_SLOTS] = NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_ESTABLISHED, EST),
	NEXT(STATE_TRANS, KEEP),
	NEXT(STATE_ESTABLISHED, EST),
};

static __always_inline __u32 tcp_event(const struct packet *p, bool from6)
{
	if (p->tcp_flags & TCP_RST)
		return EVENT_RST;
	if (p->tcp_flags & TCP_SYN)
		return from6 ? EVENT_V6_SYN : EVENT_V4_SYN;
	if (p->tcp_flags & TCP_FIN)
		return from6 ? EVENT_V6_FIN : EVENT_V4_FIN;
	return EVENT_DATA;
}

static __always_inline __u32 proto_timer(__u8 proto)
{
	return proto == BIB_UDP ? TIMER_UDP : TIMER_ICMP;
}

/* An established session past its deadline first becomes TRANS (section 3.5.2.2). */
static __always_inline bool session_alive(struct session *s, struct nat64_config *cfg, __u64 now)
{
	if (now < s->deadline_ns)
		return true;
	if (s->state != STATE_ESTABLISHED ||
	    now >= s->deadline_ns + cfg->timeout_ns[TIMER_TCP_TRANS])
		return false;
	if (!dry_run) {
		s->state = STATE_TRANS;
		s->deadline_ns += cfg->timeout_ns[TIMER_TCP_TRANS];
	}
	return true;
}

static __always_inline struct session *session_slot(__u32 bib_index, __be32 remote4, __be16 port)
{
	struct session_key key = {.bib = bib_index, .remote4 = remote4, .remote_port = port};
	__u32 *index = bpf_map_lookup_elem(&session_index, &key);
	struct session *s;

	if (!index)
		return 0;
	s = bpf_map_lookup_elem(&sessions, index);
	/* The slot may have been given to another session since. */
	if (!s || !(s->flags & SESSION_IN_USE) || s->bib != bib_index || s->remote4 != remote4 ||
	    s->remote_port != port)
		return 0;
	return s;
}

#define CREATE_FROM6 0x100U

/* A session less on the BIB entry, and of its client. */
static __always_inline int session_uncount(__u32 bib_index, __u64 now)
{
	struct bib_entry *entry = bpf_map_lookup_elem(&bib, &bib_index);

	if (!entry)
		return 0;
	client_session_gone(entry->client);
	return bib_release(bib_index, now);
}

/*
 * For whoever ends a session or takes its place: of the sweep and packets on other
 * CPUs only one may, else its slot and its hold would be given back twice.
 */
static __always_inline bool session_claim(struct session *s)
{
	__u32 flags = s->flags;

	return !dry_run && flags & SESSION_IN_USE &&
	       __sync_val_compare_and_swap(&s->flags, flags, SESSION_CLAIMED) == flags;
}

static __always_inline struct session *session_find(__u32 bib_index, __be32 remote4, __be16 port,
						    struct nat64_config *cfg, __u64 now)
{
	struct session *s = session_slot(bib_index, remote4, port);

	return s && session_alive(s, cfg, now) ? s : 0;
}

/* A packet of the session: the state machine's step, the lifetime, the bytes. */
static __always_inline void session_packet(struct session *s, const struct packet *p, bool from6,
					   struct nat64_config *cfg, __u64 now, __u32 bytes)
{
	__u32 timer;
	__u64 deadline;

	if (dry_run)
		return;
	if (from6)
		s->bytes_6to4 += bytes;
	else
		s->bytes_4to6 += bytes;
	if (s->proto == BIB_TCP) {
		__u32 step = s->state * EVENT_SLOTS + tcp_event(p, from6);
		__u8 next;

		barrier_var(step); /* else the mask, which the verifier needs, is optimised away */
		next = transitions[step & (STATE_COUNT * EVENT_SLOTS - 1)];

		timer = next & 0xf;
		if (s->state != next >> 4)
			s->state = next >> 4;
		if (timer == KEEP)
			return;
	} else {
		timer = proto_timer(s->proto);
	}
	if (timer >= TIMER_COUNT)
		return;
	deadline = now + cfg->timeout_ns[timer];
	if (deadline > s->deadline_ns + REFRESH_SLACK_NS || deadline < s->deadline_ns)
		s->deadline_ns = deadline;
}

/*
 * `state`: CLOSED, or V4 INIT where a SYN of the remote host's was stored. In use last
 * of all: the sweep would take what is in use and has the deadline of who was there.
 */
static __always_inline void session_init(struct session *s, struct packet *p, __u32 flags_state,
					 struct nat64_config *cfg, __u64 now)
{
	s->bytes_6to4 = 0;
	s->bytes_4to6 = 0;
	s->created_ns = now;
	s->deadline_ns = now;
	s->fast_seen[0] = s->fast_seen[1] = 0;
	s->state = s->proto == BIB_TCP ? flags_state >> 16 : STATE_NO_STATE;
	session_packet(s, p, flags_state & CREATE_FROM6, cfg, now, 0);
	__sync_lock_test_and_set(&s->flags, SESSION_IN_USE | (flags_state & 0xff));
}

/*
 * A session on a BIB entry that the caller holds once for it, and that its client
 * was admitted for. Gives GO_ON, or a reason, after which the caller takes both
 * back. An expired session in the same place is taken over, with its hold. A dry run
 * only says whether there is room.
 * `flags_state`: session flags, CREATE_FROM6, the state to begin with << 16.
 */
SUBPROG int session_enter(struct work *w, struct nat64_config *cfg, __u32 proto, __u32 flags_state)
{
	if (!w || !cfg)
		return HELPER_FAILED;

	bool from6 = flags_state & CREATE_FROM6;
	struct packet *p = &w->p;
	struct session_key key = {.bib = w->bib};
	struct nat64_state *st = state();
	struct session *s;
	__u32 index, limit;

	if (!st)
		return TABLE_FULL;
	limit = from6 ? cfg->max_sessions : cfg->max_sessions - cfg->max_sessions / INSIDE_SHARE;
	key.remote4 = from6 ? p->dst4 : p->src4;
	if (proto != BIB_ICMP)
		key.remote_port = from6 ? p->dport : p->sport;
	s = session_slot(key.bib, key.remote4, key.remote_port);
	if (dry_run && s)
		return GO_ON;
	if (s && session_claim(s)) {
		session_init(s, p, flags_state, cfg, w->now);
		session_uncount(w->bib, w->now); /* the expired one held it already */
		return GO_ON;
	}
	if (st->session_count >= limit)
		return TABLE_FULL;
	index = take_slot(&free_sessions, &st->sessions_used_to, session_limit);
	s = bpf_map_lookup_elem(&sessions, &index);
	if (!s)
		return TABLE_FULL;
	if (dry_run)
		return GO_ON;
	s->bib = key.bib;
	s->remote4 = key.remote4;
	s->remote_port = key.remote_port;
	s->proto = proto;
	session_init(s, p, flags_state, cfg, w->now);
	if (bpf_map_update_elem(&session_index, &key, &index, BPF_NOEXIST)) {
		s->flags = 0;
		give_slot(&free_sessions, index);
		/* Another CPU opened the same session just now: that is as good. */
		s = session_slot(key.bib, key.remote4, key.remote_port);
		if (!s)
			return TABLE_FULL;
		session_uncount(w->bib, w->now);
		return GO_ON;
	}
	if (cfg->flags & CONFIG_ADDRESS_DEPENDENT)
		remote_count(key.bib, key.remote4);
	__sync_fetch_and_add(&st->session_count, 1);
	return GO_ON;
}

/* The same, with what a new session needs: admission, and the answer to a stored SYN. */
static __always_inline int session_create(struct work *w, struct nat64_config *cfg, __u32 proto,
					  __u32 flags)
{
	struct bib_entry *entry = entry_of(w);
	bool from6 = flags & CREATE_FROM6;
	__u32 client, state = STATE_CLOSED;
	int reason;

	if (!entry)
		return TABLE_FULL;
	client = entry->client;
	reason = client_admit(client, cfg, w->now, from6);
	if (reason != GO_ON)
		return reason;
	if (proto == BIB_TCP && from6 && syn_take(entry, w->p.dst4, w->p.dport))
		state = STATE_V4_INIT;
	w->would.new_session = 1;
	w->would.answers_syn = state == STATE_V4_INIT;
	reason = session_enter(w, cfg, proto, flags | state << 16);
	if (reason != GO_ON)
		client_session_gone(client);
	return reason;
}

/* Of a claimed session. */
SUBPROG int session_delete(__u32 index, struct session *s, __u64 now)
{
	if (dry_run || !s)
		return 0;

	struct session_key key = {
		.bib = s->bib, .remote4 = s->remote4, .remote_port = s->remote_port};
	struct nat64_state *st = state();
	__u32 bib_index = s->bib;

	bpf_map_delete_elem(&session_index, &key);
	remote_uncount(key.bib, key.remote4);
	s->flags = 0;
	give_slot(&free_sessions, index);
	if (st)
		__sync_fetch_and_add(&st->session_count, -1);
	return session_uncount(bib_index, now);
}

/* The host of a session whose TCP_EST expired is asked whether it still has it (section 3.5.2.2). */
SUBPROG int probe(struct session *s, __u64 now)
{
	struct nat64_config *cfg = nat64_settings();
	struct slow_event *event;
	struct bib_entry *entry;

	if (dry_run || !s || !cfg)
		return 0;
	entry = bib_at(s->bib);
	if (!entry)
		return 0;
	event = bpf_ringbuf_reserve(&slow_events, sizeof(*event), 0);
	if (!event) {
		count(SLOW_EVENT_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = now;
	event->kind = SLOW_EVENT_PROBE;
	pref64_embed(&cfg->pref64[entry->pref64 & (MAX_PREF64 - 1)], s->remote4, &event->src6);
	event->dst6 = entry->address6;
	event->sport = s->remote_port;
	event->dport = entry->port6;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

struct sweeper {
	struct bpf_timer timer;
	__u32 due; /* sessions of this slice that were; here, because the verifier would count on the stack */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweeper);
} sweeper SEC(".maps");

static long sweep_one(__u32 i, struct sweep *sweep)
{
	__u32 index = (sweep->position + i) % sweep->used_to;
	struct session *s = bpf_map_lookup_elem(&sessions, &index);
	struct sweeper *this;

	if (dry_run || !s || !(s->flags & SESSION_IN_USE) || sweep->now < s->deadline_ns)
		return 0;
	if (s->state == STATE_ESTABLISHED) {
		s->state = STATE_TRANS;
		s->deadline_ns += sweep->trans_ns;
		probe(s, sweep->now);
	} else if (session_claim(s)) {
		session_delete(index, s, sweep->now);
	}
	index = 0;
	this = bpf_map_lookup_elem(&sweeper, &index);
	return this && ++this->due >= SWEEP_DUE;
}

/*
 * One slice; in a function of its own so that tests can run it without the timer.
 * Gives 1 where it stopped early, because enough was due.
 */
SUBPROG int sweep_slice(void)
{
	struct nat64_config *cfg = nat64_settings();
	struct nat64_state *st = state();
	struct sweep sweep = {};
	__u32 zero = 0, n;
	struct sweeper *this = bpf_map_lookup_elem(&sweeper, &zero);
	long done;

	if (dry_run || !cfg || !st || !this)
		return 0;
	sweep.now = now_ns(cfg->clock_offset_ns);
	sweep_syns(sweep.now, cfg->icmp_rate);
	sweep_clients(sweep.now);
	sweep.trans_ns = cfg->timeout_ns[TIMER_TCP_TRANS];
	sweep.used_to = st->sessions_used_to;
	if (sweep.used_to > session_limit)
		sweep.used_to = session_limit;
	if (!sweep.used_to)
		return 0;
	n = sweep.used_to < SWEEP_SLICE ? sweep.used_to : SWEEP_SLICE;
	sweep.position = st->sweep_position % sweep.used_to;
	this->due = 0;
	done = bpf_loop(n, sweep_one, &sweep, 0);
	if (done < 0)
		return 0;
	st->sweep_position = (sweep.position + done) % sweep.used_to;
	if (sweep.position + done >= sweep.used_to)
		st->sweep_rounds++;
	return this->due >= SWEEP_DUE;
}

static int sweep_tick(void *map __attribute__((unused)), __u32 *key __attribute__((unused)),
		      struct sweeper *element)
{
	struct nat64_config *cfg = nat64_settings();
	__u64 next = SWEEP_PERIOD_NS;

	/* While a test turns the clock it says itself when to sweep (sweep_now). */
	if (cfg && !cfg->clock_offset_ns && sweep_slice())
		next = SWEEP_SOON_NS;
	bpf_timer_start(&element->timer, next, 0);
	return 0;
}

#endif
