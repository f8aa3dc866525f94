# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What every client gets, with programs that know nothing of v6native: groups 1 (phone) and 2 (laptop)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from v6native.lab import topology as t
from v6native.lab.programs.echo import LINES_PORT, UDP_PORT
from v6native.lab.programs.fragments import ARRIVALS, ORDER_PORT
from v6native.lab.scenarios.transfer import download, upload
from v6native.lab.scenarios.trial import GROUPS, Scenario, Trial, expect, expect_hops, expect_mtr

V4ONLY = "v4only.example"
RESOLVER = {"phone": t.EDGE_LAN6, "laptop": t.EDGE_TUNNEL6}
OWN6 = {"phone": t.PHONE6, "laptop": t.LAPTOP6}


def who(trial: Trial, node: str, url: str, *options: str) -> tuple[str, str]:
    """The addresses that a web server saw: the client's and its own."""
    client, _, server, _ = trial.succeeds(node, "curl", "-sS", "-m10", *options, f"{url}/who").out.split()
    return client, server


def translated(trial: Trial, client: str) -> bool:
    """Whether a client that a server saw is the NAT64."""
    pool = (ip_network(entry.split(":")[0].replace("uplink", str(t.EDGE4))) for entry in trial.lab.arrangement.pool4)
    return any(ip_address(client) in network for network in pool)


def web_v4only(trial: Trial, node: str) -> str:
    client, server = who(trial, node, f"http://{V4ONLY}")
    expect(server == str(t.SERVER4), f"{node} reached {server} instead of {t.SERVER4}")
    expect(translated(trial, client), f"the server saw {client}, which is not an address of the NAT64")
    return f"{client} at {server}"


def web_native(trial: Trial, node: str, name: str) -> str:
    client, server = who(trial, node, f"http://{name}")
    expect(server == str(t.SERVER6), f"{node} reached {name} at {server} instead of {t.SERVER6}")
    expect(client == str(OWN6[node]), f"the server saw {client} instead of {node}'s own {OWN6[node]}")
    return f"natively, {client} at {server}"


def parallel(trial: Trial, node: str) -> str:
    url = f"http://{V4ONLY}/who?[1-200]"
    options = ("-sS", "-m30", "--parallel", "--parallel-immediate", "--parallel-max", "200", "-o", "/dev/null")
    done = trial.succeeds(node, "curl", *options, "-w", "%{http_code}\n", url, timeout=60)
    expect(done.out.split() == ["200"] * 200, f"200 requests at once: {done.out.count('200')} were answered")
    return "200 of 200"


def sessions(trial: Trial, node: str, host: str = V4ONLY) -> str:
    greetings = trial.program(node, "lines", host, str(LINES_PORT), "200", "5", timeout=60).split()
    expect(len(greetings) == 200, f"{len(greetings)} of 200 connections were greeted")
    return "200 open at once, 5 lines each"


def ping(trial: Trial, node: str, target: str, *options: str) -> str:
    """The answer must come from the server: its own count of echo requests rises."""
    before = echoes(trial)
    trial.succeeds(node, "ping", "-n", "-c3", "-i0.2", "-W2", *options, target)
    expect(echoes(trial) >= before + 3, f"something else than the server answers {node}'s ping to {target}")
    return "3 of 3"


def echoes(trial: Trial) -> int:
    """ICMPv4 echo requests that the server has received."""
    lines = Path(f"/proc/{trial.node('internet').pid}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Icmp:"))
    return int(values[names.index("InEchos")])


def trace(trial: Trial, node: str, *options: str) -> str:
    gateway = RESOLVER[node]
    expected = [gateway, *(trial.through(a) for a in (t.R1_EDGE4, t.R2_CORE4, t.SERVER4))]
    return expect_hops(trial, node, V4ONLY, expected, "-6", *options)


def trace_as_typed(trial: Trial, node: str) -> str:
    """With traceroute's own defaults: three probes a hop, many at once. Each is answered."""
    expected = [RESOLVER[node], *(trial.through(a) for a in (t.R1_EDGE4, t.R2_CORE4, t.SERVER4))]
    seen = trial.succeeds(node, "traceroute", "-n", "-6", V4ONLY, timeout=60).out
    lines = [line.split()[1:] for line in seen.splitlines()[1:]]
    answered = [(line[0], line.count("ms")) for line in lines]
    expect(answered == [(str(hop), 3) for hop in expected], f"{node}: traceroute -n -6 {V4ONLY} shows:\n{seen}")
    return f"{len(lines)} hops, 3 of 3 probes each"


def mtr(trial: Trial, node: str) -> str:
    expected = [RESOLVER[node], *(trial.through(a) for a in (t.R1_EDGE4, t.R2_CORE4, t.SERVER4))]
    return expect_mtr(trial, node, V4ONLY, expected, "-6")


def trace_native(trial: Trial, node: str) -> str:
    expected = [RESOLVER[node], t.R1_EDGE6, t.R2_CORE6, t.SERVER6]
    return expect_hops(trial, node, "v6only.example", expected, "-6")


def names(trial: Trial, node: str) -> str:
    def dig(*question: str) -> list[str]:
        return trial.succeeds(node, "dig", "+short", "+time=3", "+tries=1", *question).out.split()

    mapped = trial.through(t.SERVER4)
    for question, wanted in (
        ((V4ONLY, "AAAA"), [str(mapped)]),
        (("v6only.example", "AAAA"), [str(t.SERVER6)]),
        (("dual.example", "AAAA"), [str(t.SERVER6)]),
        ((f"www.{V4ONLY}", "AAAA"), ["alias.example.", f"{V4ONLY}.", str(mapped)]),
        (("+tcp", V4ONLY, "AAAA"), [str(mapped)]),
    ):
        seen = [str(IPv6Address(w)) if ":" in w else w for w in dig(*question)]
        expect(seen == wanted, f"{node}: dig {' '.join(question)} says {seen} instead of {wanted}")
    pointer = dig("-x", str(mapped))
    expect(pointer[-1:] == ["internet.example."], f"{node}: dig -x {mapped} says {pointer}")
    well_known = dig("ipv4only.arpa", "AAAA")
    expect(len(well_known) == 2, f"{node}: dig ipv4only.arpa says {well_known}")
    return f"{V4ONLY} is {mapped}"


def big_ping(trial: Trial, node: str, target: str, *options: str) -> str:
    return ping(trial, node, target, "-s3000", *options)


def big_datagram(trial: Trial, node: str, host: str) -> str:
    outcome = trial.program(node, "datagram", host, str(UDP_PORT), "8000")
    expect(outcome == "echoed", f"{node}: a datagram of 8000 octets to {host}: {outcome}")
    return "8000 octets there and back"


def fragments(trial: Trial, node: str, host: str) -> str:
    """Every arrival of fragments, from the client and from the server; overlapping ones are dropped (RFC 5722)."""
    arrivals = [name for name in ARRIVALS if name != "flood"]
    for port, way in ((UDP_PORT, "to"), (ORDER_PORT, "from")):
        for arrival in arrivals:
            # wg-quick's rules make the laptop's own kernel reassemble what it sends: it may refuse an overlap first.
            wanted = ("silence", "refused here") if arrival == "overlapping" else ("whole",)
            outcome = trial.program(node, "fragments", host, str(port), arrival)
            expect(outcome in wanted, f"{node}: {arrival} fragments {way} {host}: {outcome} instead of {wanted[0]}")
    return f"{', '.join(arrivals)}; both ways"


def other_fragments(trial: Trial, node: str, host: str) -> str:
    """The same for ICMP, which needs the slow path, and TCP; the answers come back in the server's own fragments."""
    arrivals = [name for name in ARRIVALS if name not in ("flood", "interleaved")]
    for kind in ("icmp", "tcp"):
        for arrival in arrivals:
            wanted = ("silence", "refused here") if arrival == "overlapping" else ("answered",)
            outcome = trial.program(node, "fragmented", host, kind, arrival)
            expect(
                outcome in wanted, f"{node}: {kind} in {arrival} fragments to {host}: {outcome} instead of {wanted[0]}"
            )
    return ", ".join(arrivals)


def port_unreachable(trial: Trial, node: str, host: str) -> str:
    outcome = trial.program(node, "datagram", host, "9", "40")
    expect(outcome == "ECONNREFUSED", f"{node}: a datagram to a closed port of {host}: {outcome}")
    return "the server's port unreachable reaches the socket"


def _bind(play: Play, node: str) -> Callable[[Trial], str]:
    return lambda trial: play(trial, node)


Play = Callable[[Trial, str], str]

COMMON: tuple[tuple[str, str, Play], ...] = (
    ("web-v4only", "curl http://v4only.example/", web_v4only),
    ("web-v6only", "curl http://v6only.example/", partial(web_native, name="v6only.example")),
    ("web-dual", "curl http://dual.example/", partial(web_native, name="dual.example")),
    ("names", "dig: synthesized, native, CNAME, TCP, PTR, ipv4only.arpa", names),
    ("ping", "ping -6 v4only.example", partial(ping, target=V4ONLY)),
    ("traceroute", "traceroute -6 v4only.example", trace),
    ("traceroute-as-typed", "traceroute -n -6 v4only.example, three probes a hop", trace_as_typed),
    ("traceroute-icmp", "traceroute -6 -I v4only.example", lambda trial, node: trace(trial, node, "-I")),
    ("mtr", "mtr -6 v4only.example", mtr),
    ("traceroute-native", "traceroute -6 v6only.example", trace_native),
    ("download", "download from v4only.example, checksum", partial(download, host=V4ONLY)),
    ("upload", "upload to v4only.example, checksum", partial(upload, host=V4ONLY)),
    ("parallel", "200 requests of curl at once", parallel),
    ("sessions", "200 terminal sessions at once", sessions),
    ("big-ping", "ping -s 3000 v4only.example", lambda trial, node: big_ping(trial, node, V4ONLY, "-6")),
    (
        "big-datagram",
        "UDP of 8000 octets",
        lambda trial, node: big_datagram(trial, node, str(trial.through(t.SERVER4))),
    ),
    (
        "fragments",
        "fragments in any arrival",
        lambda trial, node: fragments(trial, node, str(trial.through(t.SERVER4))),
    ),
    (
        "other-fragments",
        "ICMP and TCP fragments in any arrival",
        lambda trial, node: other_fragments(trial, node, str(trial.through(t.SERVER4))),
    ),
    (
        "port-unreachable",
        "UDP to a closed port is refused",
        lambda trial, node: port_unreachable(trial, node, str(trial.through(t.SERVER4))),
    ),
)


def scenarios(node: str, group: int) -> tuple[Scenario, ...]:
    """The common scenarios for a client."""
    assert group in GROUPS
    return tuple(Scenario(f"{node}-{key}", group, title, _bind(play, node)) for key, title, play in COMMON)
