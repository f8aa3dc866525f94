# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A worker that runs an unbound of the node's own: as recursive resolver behind the DNS64, or as the DNS64 itself.

`settings` is what it is told, `render` makes unbound.conf of it, `worker` keeps the program running.
"""
