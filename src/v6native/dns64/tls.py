# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""TLS in the event loop: sockets of both sides, and for the listening one a certificate that is read anew when its files change."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import structlog

from v6native.dns64.loop import Loop
from v6native.dns64.watched import Watched

_log = structlog.get_logger("dns64")


class Certificate:
    """The server's side of TLS for one protocol after another; OSError or ssl.SSLError where the files are no good.

    Changed files that are no good are told once, and the certificate of before stays.
    """

    def __init__(self, loop: Loop, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._watched = Watched(loop, self._files, self._read_anew)
        self._load()

    def context(self, protocol: str) -> ssl.SSLContext:
        """`protocol`: its name in ALPN, "dot" or "h2"."""
        if protocol not in self._contexts:
            self._contexts[protocol] = self._made(protocol)
        return self._contexts[protocol]

    def look(self) -> None:
        """Whether the files have changed, at once."""
        self._watched.look()

    def close(self) -> None:
        self._watched.close()

    def _load(self) -> None:
        self._contexts = {protocol: self._made(protocol) for protocol in (self._contexts or ("dot",))}

    def _made(self, protocol: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self._files)
        context.set_alpn_protocols([protocol])
        return context

    def _read_anew(self) -> None:
        try:
            self._load()
        except OSError as error:
            _log.error("kept the old certificate: the new one is no good", file=str(self._files[0]), problem=str(error))
        else:
            _log.info("read the certificate anew", file=str(self._files[0]))


class TlsSocket:
    """A connected socket that speaks TLS, with the four methods of one that a connection uses. BlockingIOError: not now.

    `server`: the name, or address, that the other side's certificate has to be of; None: this side is the server.
    `shaken`: the handshake is done, which `recv` does.
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, server: str | None = None) -> None:
        self._socket = context.wrap_socket(
            connected,
            server_side=server is None,
            server_hostname=server,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=True,
        )
        self.shaken = False
        self.wants_write = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def recv(self, most: int) -> bytes:
        """All that has arrived, up to about `most` octets; the rest of a record would not be announced again."""
        self.wants_write = False
        try:
            if not self.shaken:
                self._socket.do_handshake()
                self.shaken = True
            octets = self._socket.recv(most)
            while octets and self._socket.pending() and len(octets) < most:
                octets += self._socket.recv(self._socket.pending())
            return octets
        except ssl.SSLWantReadError as error:
            raise BlockingIOError from error
        except ssl.SSLWantWriteError as error:
            self.wants_write = True
            raise BlockingIOError from error

    def send(self, octets: bytes) -> int:
        try:
            return self._socket.send(octets)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
