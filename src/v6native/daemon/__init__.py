# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon: applies the file, keeps the workers alive, follows the host, and answers on the API socket.

`node` holds what is decided about one node; `run` is the asyncio shell around it. Everything that matters to a
packet outlives this process: Ctrl-C, SIGTERM and kill -9 leave the data plane, the workers and the tunnels running.

    what fails                          at start        at reload           while running
    the file is wrong                   fatal           old one stays       -
    the machine lacks something         fatal           old one stays       a finding
    an action of the plan fails         fatal, says     old one stays,      tried again with
                                        what remains    says what remains   back-off, a finding
    a worker dies                       -               -                   started again within a second
"""
