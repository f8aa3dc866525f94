# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who had which IPv4 address and ports, and when: never to whom they spoke (RFC 6888 §4).

event (the kernel's) → worker ─┬─ store, an SQLite file ─ lookup → `v6native who-had`
                               └─ syslog, ipfix → collector
"""
