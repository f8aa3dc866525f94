# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in DNS64 (RFC 6147): a forwarder with a cache that gives IPv4-only names an IPv6 address.

A process of its own, `python -m v6native.dns64 --config dns64.json`. A datagram goes through the files like this:

    server, tcp    sockets, who may ask, answers of this second          settings   dns64.json
    query          what a client asks, and the answer as it goes out     wire       octets ↔ records
    resolver       a question until it is answered; coalescing           loop       epoll and timers
    rules, local   RFC 6147's decisions; names that are known here       (pure)
    cache, answer  what upstream said, and until when                    (takes `now`)
    upstream       asking the resolvers, racing them; attempt: one socket of such a question
"""
