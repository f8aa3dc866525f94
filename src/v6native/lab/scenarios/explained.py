# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What `v6native explain` says on edge1 is what then happens, and what `v6native trace` shows (group 3)."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from typing import Any

from v6native.lab import topology as t
from v6native.lab.scenarios.trial import Scenario, Trial, expect
from v6native.lab.wait import wait_until

NEW_PORT = 9
"""From which no client asks the web server."""

PRIVATE = IPv4Address("10.0.0.1")
"""Refused in every arrangement."""


def ask(trial: Trial, *words: object) -> dict[str, Any]:
    """edge1's explanation; exit status 1 is a refusal."""
    done = trial.node("edge1").run("v6native", "explain", "--json", *(str(word) for word in words), check=False)
    expect(done.status in (0, 1), f"edge1: `{done.shown}` ended with status {done.status}: {done.err.strip()}")
    document: dict[str, Any] = json.loads(done.out)
    return document


def counted(trial: Trial, reason: str) -> int:
    document = json.loads(trial.succeeds("edge1", "v6native", "counters", "--json").out)
    return int(document["counters"][reason])


def sessions(trial: Trial) -> str:
    """The address and port that the server sees, and the way back."""
    seen: list[str] = []
    for node, source, target, url in (
        ("phone", t.PHONE6, trial.through(t.SERVER4), f"http://[{trial.through(t.SERVER4)}]"),
        ("laptop", t.LAPTOP4, t.SERVER4, f"http://{t.SERVER4}"),
    ):
        new = ask(trial, "--from", source, "--to", target, "--sport", NEW_PORT, "--dport", 80)
        expect(new["verdict"] == "translated", f"explain says of {node}'s new connection: {new['text']}")
        done = trial.succeeds(node, "curl", "-sS", "-m10", "-w", "\n%{local_port}", f"{url}/who")
        address, outside, *_, port = done.out.split()
        known = ask(trial, "--from", source, "--to", target, "--sport", port, "--dport", 80, "--flags", "A")
        binding = next(step["details"] for step in known["steps"] if step["key"] == "binding")
        found = f"{binding.get('address4')}:{binding.get('port4')}"
        expect(found == f"{address}:{outside}", f"explain says {found}, the server saw {address}:{outside}")
        back = ask(trial, "--from", t.SERVER4, "--to", address, "--sport", 80, "--dport", outside, "--flags", "A")
        expect(back["verdict"] == "translated", f"explain says of the answer to {node}: {back['text']}")
        expect(
            f"{source}]" in back["summary"] or f"{source}:" in back["summary"], f"the answer goes to {back['summary']}"
        )
        seen.append(f"{node} {found}")
    return ", ".join(seen)


def refusals(trial: Trial) -> str:
    """The reason that explain tells is the one that is counted, and the error is the one that comes."""
    target = trial.through(PRIVATE)
    told = ask(trial, "--from", t.PHONE6, "--to", target, "--icmp", "echo")
    reason = told["reason"]
    expect(
        (told["verdict"], reason) == ("answered", "DESTINATION_REFUSED"), f"explain says of {target}: {told['text']}"
    )
    before = counted(trial, reason)
    done = trial.node("phone").run("ping", "-n", "-c1", "-W2", str(target), check=False)
    expect("prohibited" in done.out, f"phone's ping to {target} is not told so: {' '.join(done.out.split())}")
    expect("prohibited" in told["summary"], f"explain says that phone is told: {told['summary']}")
    expect(counted(trial, reason) == before + 1, f"{reason} was not counted once")
    return f"{reason}, prohibited"


def traced(trial: Trial) -> str:
    """Two watchers both see a refused packet, with the reason that explain tells."""
    edge1, phone = trial.node("edge1"), trial.node("phone")
    target = str(trial.through(PRIVATE))
    names = ("trace-1", "trace-2")
    watchers = []
    for name in names:
        edge1.log(name).unlink(missing_ok=True)
        argv = (
            "v6native",
            "trace",
            "--json",
            "--count",
            "1",
            "--client",
            str(t.PHONE6),
            "--reason",
            "DESTINATION_REFUSED",
        )
        watchers.append(edge1.start(name, *argv))
    ended: dict[str, int] = {}

    def seen() -> bool:
        phone.run("ping", "-n", "-c1", "-W0.3", target, check=False)
        for watcher in watchers:
            if watcher.name not in ended and (status := watcher.status()) is not None:
                ended[watcher.name] = status
        return len(ended) == len(names)

    def why() -> str:
        said = "; ".join(edge1.log(name).read_text(errors="replace").strip()[-200:] for name in names)
        return f"edge1: not all of two watchers saw phone's ping to {target}: {said}"

    wait_until(seen, 30, why)
    told = ask(trial, "--from", t.PHONE6, "--to", target, "--icmp", "echo")
    for name in names:
        line = json.loads(edge1.log(name).read_text().splitlines()[0])
        expect(line["reason"] == told["reason"], f"trace shows {line['reason']}, explain tells {told['reason']}")
        expect((line["source"], line["destination"]) == (str(t.PHONE6), target), f"trace shows {line['summary']}")
    return str(told["reason"])


def domains(trial: Trial) -> str:
    """`dns top` tells which domains keep the network on IPv4, and what the NAT64 carries to them."""

    def top(*options: str) -> dict[str, dict[str, int]]:
        document = json.loads(trial.succeeds("edge1", "v6native", "dns", "top", "--json", *options).out)
        return {domain["domain"]: domain for domain in document["domains"]}

    before = top().get("v4only.example", {"queries": 0})
    trial.succeeds("phone", "curl", "-sS", "-m10", "http://v4only.example/who")
    trial.succeeds("phone", "curl", "-sS", "-m10", "http://v6only.example/who")
    only = top("--ipv4-only")
    expect("v4only.example" in only, f"dns top --ipv4-only tells {sorted(only)}")
    found = only["v4only.example"]
    expect(
        found["queries"] > before["queries"], f"dns top counted {before['queries']} queries, then {found['queries']}"
    )
    expect(found["bytes"] > 0 and found["clients"] >= 1, f"dns top tells {found}")
    expect("v6only.example" not in only and "v6only.example" in top(), "v6only.example is not told, or is told wrongly")
    return f"v4only.example: {found['queries']} queries, {found['bytes']} bytes"


SCENARIOS = tuple(
    Scenario(f"explain-{key}", 3, title, play)
    for key, title, play in (
        ("sessions", "explain tells the port that the server sees", sessions),
        ("refusals", "explain tells the reason that is counted", refusals),
        ("domains", "dns top tells what keeps the network on IPv4", domains),
        ("traced", "trace shows the reason that explain tells", traced),
    )
)
