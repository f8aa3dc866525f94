# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IPv4 literals on laptop, through CLAT and NAT64 (RFC 6877), beside the same server's pref64 address."""

from __future__ import annotations

import random
from functools import partial

from v6native.lab import topology as t
from v6native.lab.programs.echo import LINES_PORT, UDP_UNSUMMED_PORT
from v6native.lab.scenarios import client
from v6native.lab.scenarios.transfer import download, upload
from v6native.lab.scenarios.trial import Scenario, Trial, expect, expect_hops, expect_mtr
from v6native.lab.web import publish

LITERAL = str(t.SERVER4)


def web(trial: Trial) -> str:
    seen, server = client.who(trial, "laptop", f"http://{LITERAL}")
    expect(server == LITERAL, f"laptop reached {server} instead of {LITERAL}")
    expect(client.translated(trial, seen), f"the server saw {seen}, which is not an address of the NAT64")
    return f"{seen} at {server}"


def trace(trial: Trial, *options: str) -> str:
    """CLAT and NAT64 together are edge1, one hop."""
    expected = [t.EDGE_TUNNEL4, t.R1_EDGE4, t.R2_CORE4, t.SERVER4]
    return expect_hops(trial, "laptop", LITERAL, expected, *options)


def mtr(trial: Trial) -> str:
    expected = [t.EDGE_TUNNEL4, t.R1_EDGE4, t.R2_CORE4, t.SERVER4]
    expect_mtr(trial, "laptop", LITERAL, expected, "--udp")
    return expect_mtr(trial, "laptop", LITERAL, expected)


def both_at_once(trial: Trial) -> str:
    """The same server and port by literal and by pref64, from the same local port: two flows that must not meet."""
    path, digest = publish(trial.node("internet"), trial.mebibytes)
    # A new port each time: those of the last run are still in TIME_WAIT.
    port = random.randrange(20000, 30000)
    script = " & ".join(
        f"curl -sS -f --interface {own} --local-port {port} 'http://{host}{path}' | sha256sum"
        for own, host in ((t.LAPTOP4, LITERAL), (t.LAPTOP6, f"[{trial.through(t.SERVER4)}]"))
    )
    sums = trial.succeeds("laptop", "bash", "-c", f"{script} & wait", timeout=60 + trial.mebibytes).out.split()[::2]
    expect(sums == [digest, digest], f"two downloads at once gave {sums} instead of twice {digest}")
    return f"2 × {trial.mebibytes} MiB from port {port}"


def unsummed(trial: Trial) -> str:
    """Checksum 0 there and back (RFC 7915 §4.5: a NAT64 and a CLAT compute it)."""
    outcome = trial.program("laptop", "datagram", LITERAL, str(UDP_UNSUMMED_PORT), "100", "unsummed")
    expect(outcome == "echoed", f"a datagram without checksum to {LITERAL}: {outcome}")
    outcome = trial.program("laptop", "datagram", LITERAL, str(UDP_UNSUMMED_PORT), "5000", "unsummed")
    expect(outcome == "echoed", f"a fragmented datagram without checksum to {LITERAL}: {outcome}")
    return "100 octets, and 5000 in fragments"


def terminal(trial: Trial) -> str:
    greetings = trial.program("laptop", "lines", LITERAL, str(LINES_PORT), "200", "5", timeout=60).split()
    expect(all(client.translated(trial, seen) for seen in greetings), f"the server saw {set(greetings)}")
    return f"{len(greetings)} open at once, 5 lines each"


SCENARIOS = (
    Scenario("laptop-literal-web", 2, f"curl http://{LITERAL}/", web),
    Scenario("laptop-literal-ping", 2, f"ping {LITERAL}", partial(client.ping, node="laptop", target=LITERAL)),
    Scenario("laptop-literal-traceroute", 2, f"traceroute {LITERAL}", trace),
    Scenario("laptop-literal-traceroute-icmp", 2, f"traceroute -I {LITERAL}", lambda trial: trace(trial, "-I")),
    Scenario("laptop-literal-mtr", 2, f"mtr {LITERAL}", mtr),
    Scenario(
        "laptop-literal-download", 2, "download by literal, checksum", partial(download, node="laptop", host=LITERAL)
    ),
    Scenario("laptop-literal-upload", 2, "upload by literal, checksum", partial(upload, node="laptop", host=LITERAL)),
    Scenario("laptop-literal-sessions", 2, "200 terminal sessions by literal", terminal),
    Scenario("laptop-both-at-once", 2, "literal and pref64 at once, same port", both_at_once),
    Scenario("laptop-unsummed", 2, "UDP with checksum 0 by literal", unsummed),
    Scenario(
        "laptop-literal-big-ping", 2, f"ping -s 3000 {LITERAL}", partial(client.big_ping, node="laptop", target=LITERAL)
    ),
    Scenario(
        "laptop-literal-big-datagram",
        2,
        "UDP of 8000 octets",
        partial(client.big_datagram, node="laptop", host=LITERAL),
    ),
    Scenario(
        "laptop-literal-fragments",
        2,
        "fragments in any arrival",
        partial(client.fragments, node="laptop", host=LITERAL),
    ),
    Scenario(
        "laptop-literal-other-fragments",
        2,
        "ICMP and TCP fragments in any arrival",
        partial(client.other_fragments, node="laptop", host=LITERAL),
    ),
    Scenario(
        "laptop-literal-port-unreachable",
        2,
        "UDP to a closed port is refused",
        partial(client.port_unreachable, node="laptop", host=LITERAL),
    ),
)
