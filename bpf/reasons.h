/* SPDX-FileCopyrightText: 2026 The v6native authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every way out of a translator, once: the verdict's name is the counter's name
 * and the text that the operator reads. REASON(NAME, KIND, TEXT), KIND one of
 * DONE (translated), PASS, SLOW, ANSWERED and DROP; a NOTE is counted beside
 * the packet's own reason. Append only: the position is
 * the index in the map "counters"; a changed order is a new ABI_VERSION.
 */
#define REASONS(REASON)                                                                            \
	REASON(TRANSLATED_6TO4, DONE, "translated from IPv6 to IPv4")                              \
	REASON(TRANSLATED_4TO6, DONE, "translated from IPv4 to IPv6")                              \
	REASON(HAIRPINNED, DONE, "translated for a destination behind this same NAT64")            \
	REASON(PASS_NOT_IP, PASS, "neither IPv4 nor IPv6")                                         \
	REASON(PASS_MULTICAST, PASS, "multicast is not translated (RFC 7915 section 1.1)")         \
	REASON(PASS_NOT_OURS, PASS, "not the NAT64's: left to the stateless translator")           \
	REASON(STEERED, PASS, "sent to the NAT64 although addressed to the node")                  \
	REASON(REFRAGMENT, PASS, "handed to the kernel to be fragmented smaller")                  \
	REASON(SLOW_FRAGMENTED_ICMP, SLOW, "fragmented ICMP, reassembled by the slow path")        \
	REASON(SLOW_FRAGMENTED_UDP0, SLOW, "fragmented UDP without checksum, by the slow path")    \
	REASON(SLOW_TOO_BIG, SLOW, "too big once translated, fragmented by the slow path")         \
	REASON(SLOW_AWAY, DROP, "needs the slow path, which is not running")                       \
	REASON(LOOP, DROP, "our own output came back")                                             \
	REASON(TRUNCATED, DROP, "shorter than its headers say")                                    \
	REASON(BAD_HEADER, DROP, "a header field is invalid")                                      \
	REASON(BAD_CHECKSUM, DROP, "the IPv4 header's or the ICMP error's checksum is wrong")      \
	REASON(BAD_SOURCE, DROP, "the source address is not one that a host can have")             \
	REASON(SOURCE_IN_PREF64, DROP, "the source lies in the pref64 (RFC 6146 section 3.5)")     \
	REASON(NOT_PREF64, DROP, "the destination is not in a pref64")                             \
	REASON(NOT_POOL4, DROP, "the destination is not in pool4")                                 \
	REASON(NO_MAPPING, ANSWERED, "an address has no mapping (RFC 7757)")                       \
	REASON(SOURCE_NOT_ALLOWED, ANSWERED, "the source may not use this translator")             \
	REASON(DESTINATION_REFUSED, ANSWERED,                                                      \
	       "non-global IPv4 destination that the file does not open")                          \
	REASON(NO_BIB_UDP, ANSWERED, "UDP to a port without a BIB entry")                          \
	REASON(NO_BIB_TCP, ANSWERED, "TCP to a port without a BIB entry")                          \
	REASON(NO_BIB_ICMP, ANSWERED, "ICMP query to an identifier without a BIB entry")           \
	REASON(NO_SESSION_TCP, ANSWERED, "TCP segment of no connection that may not open one")     \
	REASON(NO_SESSION_ERROR, DROP, "ICMP error about a packet of no session")                  \
	REASON(POOL4_EXHAUSTED, ANSWERED, "no free port in pool4")                                 \
	REASON(TABLE_FULL, ANSWERED, "the session table is full")                                  \
	REASON(SOURCE_ROUTE, ANSWERED, "source routes are not translated")                         \
	REASON(ROUTING_HEADER, ANSWERED, "routing header with segments left")                      \
	REASON(EXTENSION_HEADERS, DROP, "too many extension headers")                              \
	REASON(UNKNOWN_ICMP, DROP, "ICMP type or code that has no translation")                    \
	REASON(QUOTE_TOO_SHORT, DROP, "the packet quoted in an ICMP error is too short")           \
	REASON(QUOTE_IS_ERROR, DROP, "the packet quoted in an ICMP error is an ICMP error")        \
	REASON(UNKNOWN_PROTOCOL, ANSWERED, "a protocol that the translator does not know")         \
	REASON(UDP_NO_CHECKSUM, DROP, "UDP without checksum, over IPv6 or as the file says")       \
	REASON(FRAGMENT_NO_FIRST, DROP, "a fragment whose first fragment was not seen")            \
	REASON(FRAGMENT_OF_DROPPED, DROP, "a fragment of a datagram that was refused")             \
	REASON(FRAGMENT_TOO_SMALL, DROP, "a first fragment without its transport header")          \
	REASON(STILL_TOO_BIG, DROP, "the kernel gave it back as big as it was")                    \
	REASON(ANSWER_LIMITED, NOTE, "an error was due, but their rate is limited")                \
	REASON(HELPER_FAILED, DROP, "the kernel refused to change the packet")                     \
	REASON(CLIENT_PORTS, ANSWERED, "the client has as many ports as it may have")              \
	REASON(CLIENT_SESSIONS, ANSWERED, "the client has as many sessions as it may have")        \
	REASON(CLIENT_RATE, ANSWERED, "the client opens sessions faster than it may")              \
	REASON(FILTERED, ANSWERED, "from an address that the host has not spoken to")              \
	REASON(SYN_STORED, DROP, "TCP SYN that nobody waits for yet, kept for a while")            \
	REASON(ANSWER_SENT, NOTE, "packets made here: ICMP errors and TCP resets")                 \
	REASON(CAME_REASSEMBLED, NOTE, "came from the slow path, reassembled")                     \
	REASON(LOG_LOST, NOTE, "lines of the log that found no room")                              \
	REASON(SLOW_EVENT_LOST, NOTE, "probes and late answers skipped: no slow path")             \
	REASON(TRACE_LOST, NOTE, "refused packets that were not shown: too many")                  \
	REASON(FAST_6TO4, DONE, "translated from IPv6 to IPv4 by the fast path")                   \
	REASON(FAST_4TO6, DONE, "translated from IPv4 to IPv6 by the fast path")
