# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The product: HTTP with JSON over a unix socket. The commands and the web have no other way to a running daemon.

    GET  /v1/status /v1/counters /v1/doctor /v1/plan    one JSON document
    GET  /v1/who-had                                    one JSON document about an address, a port and a time
    GET  /v1/sessions /v1/bib                           one JSON object a line (application/x-ndjson), with filters
    GET  /v1/trace                                      refused packets as they come, a JSON object a line, with filters
    POST /v1/explain                                    what becomes of the packet in the body, and why
    POST /v1/reload /v1/down /v1/confirm                what was done, or why not
    GET  /metrics                                       Prometheus

An error is {"error": {"code": ..., "text": ...}}; codes are listed in errors.py and never change their meaning.
"""
