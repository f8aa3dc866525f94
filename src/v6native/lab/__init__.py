# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lab: a whole network on one machine, in namespaces, with real servers, real tunnels and real clients.

`topology` says who is there, `node` and `wiring` make it stand, `names`, `web` and `programs` serve, `edge` and `laptop`
run v6native and its client; `estate` takes everything away again. `scenarios` are the main job, `play` runs them.
"""
