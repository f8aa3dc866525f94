# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The slow path: what BPF cannot do, in a process of its own behind a TAP interface.

A checksum over a whole message needs the whole message: ICMP in fragments (RFC 7915 §4.2, §5.2) and UDP without
checksum in fragments (§4.5) are put together here and given back to the translator that sent them; IPv6 that became too
big is cut into fragments. No translation, and no state of the translators, is here.
"""
