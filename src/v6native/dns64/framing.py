# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""How questions and answers lie in a connection's octets."""

from __future__ import annotations

from typing import Protocol


class FramingError(ValueError):
    """The client does not speak the protocol: the connection ends, after what is left to send."""


class Framing(Protocol):
    """`take` gives the next whole question with a number, under which `answer` is told what to send."""

    def feed(self, octets: bytes) -> None:
        """Octets of the client; FramingError."""

    @property
    def whole(self) -> bool:
        """Whether a question waits to be taken."""

    @property
    def held(self) -> int:
        """Octets of answers that wait for the client's leave to send them."""

    def take(self) -> tuple[int, bytes]: ...

    def answer(self, number: int, message: bytes, seconds: int) -> None:
        """`seconds`: how long the answer is true."""

    def output(self) -> bytes:
        """What is to be sent now; each octet is given once."""


class Lengths:
    """Each message behind its length in two octets (RFC 1035 §4.2.2): DNS over TCP and over TLS."""

    def __init__(self) -> None:
        self._in = b""
        self._out = b""

    held = 0

    def feed(self, octets: bytes) -> None:
        self._in += octets

    @property
    def whole(self) -> bool:
        return len(self._in) >= 2 and len(self._in) >= int.from_bytes(self._in[:2], "big") + 2

    def take(self) -> tuple[int, bytes]:
        end = int.from_bytes(self._in[:2], "big") + 2
        message, self._in = self._in[2:end], self._in[end:]
        return 0, message

    def answer(self, number: int, message: bytes, seconds: int) -> None:
        self._out += len(message).to_bytes(2, "big") + message

    def output(self) -> bytes:
        out, self._out = self._out, b""
        return out


class FrameLengths:
    """Watches the lengths of HTTP/2's frames (RFC 9113 §4.1), which h2 looks at only when a frame is whole: up to 16 MiB of
    memory would be anybody's. `preface`: octets before the first frame."""

    LONGEST = 16384
    """What is allowed to all that have not been told otherwise (§4.2), and nobody is."""
    _HEADER = 9

    def __init__(self, preface: int = 0) -> None:
        self._left = preface
        self._header = b""

    def feed(self, octets: bytes) -> None:
        """FramingError where a frame is too long."""
        while octets:
            skipped, octets = min(self._left, len(octets)), octets[self._left :]
            self._left -= skipped
            if not octets:
                return
            wanted = self._HEADER - len(self._header)
            self._header, octets = self._header + octets[:wanted], octets[wanted:]
            if len(self._header) == self._HEADER:
                self._left = int.from_bytes(self._header[:3], "big")
                self._header = b""
                if self._left > self.LONGEST:
                    raise FramingError(f"a frame of {self._left} octets")
