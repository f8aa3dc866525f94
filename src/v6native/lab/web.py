# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A real web server on a node (nginx): pages, files with a known checksum, uploads by PUT."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from v6native.lab.node import Node

MIB = 1 << 20
WWW = Path("/run/lab/www")

CONFIGURATION = """
daemon off; user root; worker_processes 2; pid /run/lab/nginx-{name}.pid; error_log /run/lab/log/nginx-{name}.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream; client_max_body_size 0;
  client_body_temp_path {www}/.body; proxy_temp_path {www}/.proxy; fastcgi_temp_path {www}/.fastcgi;
  uwsgi_temp_path {www}/.uwsgi; scgi_temp_path {www}/.scgi;
  server {{
    listen {port}; listen [::]:{port} ipv6only=on; server_name _; root {www};
    location = / {{ default_type text/plain; return 200 "{greeting}\\n"; }}
    location = /who {{ default_type text/plain; return 200 "$remote_addr $remote_port $server_addr $http_host\\n"; }}
    location / {{ if ($arg_rate) {{ limit_rate $arg_rate; }} }}
    location /upload/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
  }}
}}
"""


def serve_web(node: Node, greeting: str, port: int = 80) -> None:
    """Start nginx; `/` answers `greeting`, `/who` the addresses that the server saw, `?rate=OCTETS` slows a file down."""
    name = f"web{port}"
    www = node.path(WWW)
    www.mkdir(parents=True, exist_ok=True)
    conf = f"/run/lab/{name}.conf"
    node.path(conf).write_text(CONFIGURATION.format(name=name, www=WWW, port=port, greeting=greeting))
    node.start(name, "nginx", "-c", conf, "-e", f"/run/lab/log/{name}.log")
    node.wait_listening("tcp", port)


def publish(node: Node, mebibytes: int) -> tuple[str, str]:
    """A file of that size on the node's web server: its path in the URL, and its SHA-256. Made once.

    Every MiB begins with its number and goes on with the same random bytes, so that a lost, doubled or shifted
    segment changes the checksum.
    """
    file = node.path(WWW) / f"{mebibytes}MiB"
    known = node.path(WWW) / f".{mebibytes}MiB.sha256"
    if not known.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        block = bytearray(random.Random(mebibytes).randbytes(MIB))
        digest = hashlib.sha256()
        with file.open("wb") as out:
            for number in range(mebibytes):
                block[:8] = number.to_bytes(8, "big")
                digest.update(block)
                out.write(block)
        known.write_text(digest.hexdigest())
    return f"/{file.name}", known.read_text()


def take_upload(node: Node, name: str) -> str:
    """The SHA-256 of what was PUT to /upload/`name`; the file is removed."""
    file = node.path(WWW) / "upload" / name
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    file.unlink()
    return digest
