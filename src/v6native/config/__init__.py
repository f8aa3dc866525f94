# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""network.toml and clients.d/ → a frozen, valid Config, or every mistake at once with its line.

    from v6native.config.load import load, this_node   # load(path, clients_dir, node=None) -> Config; ConfigError
    from v6native.config.hostcheck import check_host   # check_host(config, node, facts) -> list[ConfigProblem]
    from v6native.config.init import draft             # draft(facts, name) -> text of a first network.toml
    from v6native.config.render import render_errors, render_problems, to_json

The path of a file: `positions` and `source` read it, `file` has the keys, `values` their parsers, `check` turns what
pydantic says into an operator's words, `convert` makes `model`'s Config, `rules` hold values against each other.
`facts` is what a machine is like, `hostcheck` (with `hostports`, `hostdns`) holds a Config against it.
"""
