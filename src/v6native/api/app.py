# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The routes. A handler asks the backend and words the answer; it decides nothing."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from v6native.api.documents import to_json
from v6native.api.errors import BAD_FILTER, INTERNAL, NOT_FOUND, Kind, error_document, refuse, refuse_for
from v6native.api.filters import BadFilter, Filter, parse
from v6native.dataplane.door import BibEntry, Session
from v6native.errors import V6nativeError
from v6native.explain.question import BadPacket
from v6native.log.question import BadQuestion, Question
from v6native.log.question import parse as parse_question

# Entries a step of a streamed list: one hop to a thread each, and this much memory, whatever the table's size.
BATCH = 500


class Backend(Protocol):
    """What the API tells and does; documents are dataclasses or plain JSON values."""

    async def status(self) -> Any: ...

    async def counters(self) -> Any: ...

    async def doctor(self) -> Any: ...

    async def plan(self) -> Any: ...

    async def explain(self, words: Mapping[str, Any]) -> Any: ...

    def trace(self, words: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]: ...

    async def reload(self) -> Any: ...

    async def down(self) -> Any: ...

    async def confirm(self) -> Any: ...

    async def metrics(self) -> bytes: ...

    def sessions(self) -> Iterator[Session]: ...

    def bib(self) -> Iterator[BibEntry]: ...

    def who_had(self, question: Question) -> dict[str, Any]:
        """Blocks for some milliseconds (log/answer.py)."""

    def dns_top(self) -> dict[str, Any]:
        """Blocks while it walks all sessions."""


def make_app(backend: Backend) -> Starlette:
    """The application; it holds no state of its own."""

    def document(path: str, ask: Callable[[], Awaitable[Any]], method: str = "GET") -> Route:
        async def answer(_request: Request) -> Response:
            return JSONResponse(to_json(await ask()))

        return Route(path, answer, methods=[method], name=path)

    async def metrics(_request: Request) -> Response:
        return Response(await backend.metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def explain(request: Request) -> Response:
        return JSONResponse(to_json(await backend.explain(await _words(request))))

    async def trace(request: Request) -> Response:
        return await _endless(backend.trace(request.query_params))

    async def sessions(request: Request) -> Response:
        wanted = parse(request.query_params, sessions=True)
        return await _stream((s for s in backend.sessions() if wanted.wants_session(s)), wanted)

    async def bib(request: Request) -> Response:
        wanted = parse(request.query_params, sessions=False)
        return await _stream((e for e in backend.bib() if wanted.wants_bib(e)), wanted)

    async def who_had(request: Request) -> Response:
        question = parse_question(request.query_params, datetime.datetime.now(datetime.UTC))
        return JSONResponse(await run_in_threadpool(backend.who_had, question))

    async def dns_top(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(backend.dns_top))

    return Starlette(
        routes=[
            document("/v1/status", backend.status),
            document("/v1/counters", backend.counters),
            document("/v1/doctor", backend.doctor),
            document("/v1/plan", backend.plan),
            document("/v1/reload", backend.reload, "POST"),
            document("/v1/down", backend.down, "POST"),
            document("/v1/confirm", backend.confirm, "POST"),
            Route("/v1/explain", explain, methods=["POST"]),
            Route("/v1/trace", trace),
            Route("/v1/sessions", sessions),
            Route("/v1/bib", bib),
            Route("/v1/who-had", who_had),
            Route("/v1/dns/top", dns_top),
            Route("/metrics", metrics),
        ],
        exception_handlers={
            V6nativeError: _refused,
            HTTPException: _http,
            BadFilter: _bad_filter,
            BadQuestion: _bad_filter,
            Exception: _internal,
        },
    )


async def _words(request: Request) -> Mapping[str, Any]:
    """A question's words, from the JSON object in the body."""
    try:
        words = await request.json()
    except ValueError as why:
        raise BadPacket(f"the body is no JSON: {why}") from why
    if not isinstance(words, dict):
        raise BadPacket("the body is no JSON object")
    return words


async def _stream(entries: Iterator[Session] | Iterator[BibEntry], wanted: Filter) -> Response:
    """The chosen entries a line each. The first batch is read before the answer begins, so that an error has its code."""
    chosen = islice(entries, wanted.limit)

    def batch() -> bytes:
        return b"".join(json.dumps(to_json(entry)).encode() + b"\n" for entry in islice(chosen, BATCH))

    first = await run_in_threadpool(batch)

    async def lines() -> AsyncIterator[bytes]:
        chunk = first
        while chunk:
            yield chunk
            chunk = await run_in_threadpool(batch)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def _endless(documents: AsyncIterator[dict[str, Any]]) -> Response:
    """A line each, until the reader goes. The first is awaited here, so that a refusal has its code; a later one is a line."""
    first = await anext(documents)

    async def lines() -> AsyncIterator[bytes]:
        yield _line(first)
        try:
            async for document in documents:
                yield _line(document)
        except V6nativeError as error:
            yield _line(error_document(error))

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, V6nativeError)
    return refuse_for(error)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refuse(NOT_FOUND if error.status_code == 404 else Kind("http", error.status_code), error.detail)


async def _bad_filter(_request: Request, error: Exception) -> Response:
    return refuse(BAD_FILTER, str(error))


async def _internal(request: Request, error: Exception) -> Response:
    logging.getLogger("v6native.api").error("%s failed", request.url.path, exc_info=error)
    return refuse(INTERNAL, f"v6native has a bug: {type(error).__name__}; its log has the details")
