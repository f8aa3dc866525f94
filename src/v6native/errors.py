# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The one exception tree of v6native.

    V6nativeError                 what an operator may see; exit status 1
    ├── ConfigError               network.toml is wrong: all its mistakes at once
    ├── EnvironmentRefused        this machine lacks something: root, BPF, a tool
    ├── SystemActionError         the kernel or a tool refused a change
    │   └── ApplyFailed           a plan stopped halfway; carries what was done and what remains
    ├── DataPlaneError            a BPF object, map or attachment failed
    │   └── VerifierRefused       the kernel's verifier refused a program; carries its log
    ├── DaemonUnreachable         no daemon answers on the API socket
    ├── Dns64SettingsError        dns64.json cannot be used: all its mistakes at once
    ├── LogError                  the log of who had which ports cannot be read, or its settings not used
    └── LabError                  the lab could not be built or a lab command failed

A message says where, what, why, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from v6native.config.problem import ConfigProblem


class V6nativeError(Exception):
    """Anything that v6native tells an operator in one plain message."""


class ConfigError(V6nativeError):
    """The configuration cannot be used; `problems` holds every mistake, and the warnings, in the order of the files."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join(f"{p}\n    {p.remedy}" for p in problems))
        self.problems = problems


class EnvironmentRefused(V6nativeError):
    """The machine or the caller lacks what is needed; the message names the remedy."""


class SystemActionError(V6nativeError):
    """A change of the host's state was refused by the kernel or by a tool."""


class ApplyFailed(SystemActionError):
    """A plan stopped at its first failure; `done`, `failed` and `remaining` are its actions, in order."""

    def __init__(
        self, cause: V6nativeError, done: Sequence[object], failed: object, remaining: Sequence[object]
    ) -> None:
        total = len(done) + 1 + len(remaining)
        super().__init__(
            f"could not {failed}: {cause}\n"
            f"    {len(done)} of {total} actions are done and {len(remaining)} remain; "
            "remove the cause and run the same command again"
        )
        self.cause = cause
        self.done = tuple(done)
        self.failed = failed
        self.remaining = tuple(remaining)


class DataPlaneError(V6nativeError):
    """A BPF object did not load, or a map or attachment could not be used."""


class VerifierRefused(DataPlaneError):
    """The kernel's verifier refused a BPF program; `log` is all it said."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class DaemonUnreachable(V6nativeError):
    """The API socket does not answer."""


class Dns64SettingsError(V6nativeError):
    """The DNS64's settings cannot be used; the message has a line for every mistake."""


class UnboundError(V6nativeError):
    """The settings of the node's own unbound cannot be used; the message has a line for every mistake."""


class LogError(V6nativeError):
    """The log of who had which ports cannot be read or written, or its worker's settings are wrong."""


class LabError(V6nativeError):
    """The lab could not be built, or is not there."""
