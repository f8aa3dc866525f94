# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Extended ICMP errors: what is quoted, what is extension, and the length attribute between them (RFC 4884).

The attribute counts words of 4 bytes in ICMP (second byte of the second word), of 8 in ICMPv6 (first byte).
"""

from __future__ import annotations

WORD4, WORD6 = 4, 8
_LEAST_QUOTE = 128  # §3, for receivers that look for extensions at a fixed place


def split(body: bytes, length: int, word: int) -> tuple[bytes, bytes]:
    """What follows the ICMP header as quoted packet (zero padding included) and extensions, these perhaps empty."""
    end = length * word
    return (body[:end], body[end:]) if 0 < end < len(body) else (body, b"")


def join(quote: bytes, extensions: bytes, word: int, room: int) -> tuple[bytes, int]:
    """The body of the translated error, at most `room` bytes, and its length attribute.

    The quote gives way to the extensions, down to 128 bytes; then the extensions are cut (RFC 7915 §4.2).
    """
    if not extensions:
        return quote[:room], 0
    extensions = extensions[: room - _LEAST_QUOTE]
    quote = quote[: (room - len(extensions)) // word * word]
    size = max(_LEAST_QUOTE, -(-len(quote) // word) * word)
    return quote.ljust(size, b"\0") + extensions, size // word
