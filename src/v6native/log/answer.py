# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An answer as a document, the same from the API and from the command without a daemon. Times are UTC, to the millisecond."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from v6native.log.lookup import Answer, Holder


def document(answer: Answer) -> dict[str, Any]:
    asked = answer.question
    return {
        "address": str(asked.address),
        "port": asked.port,
        "proto": asked.proto,
        "from": _moment(asked.start),
        "to": _moment(asked.end),
        "holders": [_holder(holder) for holder in answer.holders],
        "since": _moment(answer.since),
        "seen": _moment(answer.seen),
        "lost": answer.lost,
        "off": answer.off,
        "cut": answer.cut,
    }


def _holder(holder: Holder) -> dict[str, Any]:
    return {
        "client": str(holder.client),
        "names": [{"name": name.name, "tunnel": name.tunnel} for name in holder.names],
        "proto": holder.proto,
        "first_port": holder.first_port,
        "last_port": holder.last_port,
        "client_port": holder.client_port,
        "static": holder.static,
        "start": _moment(holder.start),
        "end": _moment(holder.end),
        "ended": holder.ended,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
