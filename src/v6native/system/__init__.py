# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The doors to the host: netlink, sysctl, nftables, WireGuard, files, processes. Each has an in-memory twin in `fake`.

    from v6native.desired import Desired, desired    # desired(config, node, facts) -> Desired                 pure
    from v6native.plan import diff                    # diff(wanted, actual) -> tuple[Action, ...]               pure
    from v6native.system.linux import LinuxHost       # LinuxHost(paths, dataplane: DataPlane | None)
    from v6native.system.apply import apply, bring, teardown

    host = LinuxHost(paths, dataplane)                # works in the network namespace of the calling thread
    facts = host.facts()                              # config.facts.HostFacts
    wanted = desired(config, "edge1", facts)          # wanted.findings: what an operator should know
    actual = host.observe(wanted)                     # plan.actual.Actual; .missing: what could not be read, and why
    actions = diff(wanted, actual)                    # () when nothing is to change; str(action), action.as_json()
    apply(actions, host, actual.saved, told=print)    # ApplyFailed(.done, .failed, .remaining) at the first failure
    bring(host, wanted, told=print)                   # observe, diff and apply in one; returns the actions
    teardown(host)                                    # the host as it was found: bring(host, Desired())

All of these block; an event loop calls them in a thread. An interface of our name that is not ours raises
SystemActionError from `diff`, before anything is touched. `FakeHost` in `fake` stands in for `LinuxHost`. WireGuard
interfaces are part of the plan, with wireguard-go where the kernel has no WireGuard. The DNS64 and slow-path processes are
the daemon's to supervise; the plan writes DNS64's settings (run/dns64.json).
"""
