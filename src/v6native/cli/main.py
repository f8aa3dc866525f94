# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The console script: the table of verbs, and what becomes of an error.

Exit status: 0 fine, 1 a problem was found, 2 the command line was wrong, 3 v6native has a bug.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from v6native import __version__
from v6native.cli.app import App
from v6native.cli.output import INTERNAL, OK, PROBLEM, USAGE
from v6native.errors import EnvironmentRefused, V6nativeError
from v6native.paths import Paths

# Each is a command of that name in a module of that name, with underscores.
VERBS = (
    "init",
    "check",
    "plan",
    "up",
    "down",
    "reload",
    "confirm",
    "status",
    "sessions",
    "bib",
    "who-had",
    "dns",
    "counters",
    "explain",
    "trace",
    "doctor",
    "lab",
)


class Verbs(click.Group):
    """A group whose verbs return their exit status, and whose errors are one plain message.

    A verb is loaded when it is asked for: all of them together take longer than most of them need for their work.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"v6native.cli.{name}"), name)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        try:
            result = super().main(words, prog_name or "v6native", complete_var, standalone_mode=False, **extra)
            code = result if isinstance(result, int) else OK
        except click.exceptions.Exit as error:
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = USAGE
        except (click.Abort, KeyboardInterrupt):
            code = 130
        except PermissionError as error:
            code = _bug(error) if os.geteuid() == 0 else _problem(_no_root(error), False)
        except V6nativeError as error:
            code = _problem(error, "--json" in words[: words.index("--") if "--" in words else None])
        except Exception as error:
            code = _bug(error)
        if standalone_mode:
            sys.exit(code)
        return code

    def invoke(self, ctx: click.Context) -> Any:
        """`v6native sessions | head`: the reader has seen enough. Nothing more may be written, at the exit neither."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK


def _problem(error: V6nativeError, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": {"code": getattr(error, "code", None) or _code(error), "text": str(error)}}))
    click.echo(f"v6native: {error}", err=True)
    return PROBLEM


def _no_root(error: PermissionError) -> EnvironmentRefused:
    return EnvironmentRefused(
        f"{error.filename or 'this'}: {error.strerror}; v6native needs root for it: run it with sudo"
    )


def _code(error: V6nativeError) -> str:
    """The same codes as the API's (api/errors.py), which is loaded only now: it brings HTTP with it."""
    from v6native.api.errors import KINDS

    return next(kind.code for cls, kind in KINDS if isinstance(error, cls))


def _bug(error: Exception) -> int:
    import tempfile
    import traceback

    if os.environ.get("V6NATIVE_DEBUG") == "1":
        traceback.print_exception(error)
        return INTERNAL
    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile("w", prefix="v6native-", suffix=".log", delete=False) as log:
        log.write(f"v6native {__version__} {sys.argv!r}\n{text}")
    where = Path(log.name)
    click.echo(f"v6native: this is a bug ({type(error).__name__}: {error}); the details are in {where}", err=True)
    return INTERNAL


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="v6native", message="%(prog)s %(version)s")
@click.option(
    "--etc",
    type=click.Path(path_type=Path),
    envvar="V6NATIVE_ETC",
    default=Paths().etc,
    show_default=True,
    help="Folder of network.toml and clients.d.",
)
@click.option(
    "--run",
    "run_dir",
    type=click.Path(path_type=Path),
    envvar="V6NATIVE_RUN",
    default=Paths().run,
    show_default=True,
    help="Folder of the API socket and the workers' files.",
)
@click.option(
    "--var",
    type=click.Path(path_type=Path),
    envvar="V6NATIVE_VAR",
    default=Paths().var,
    show_default=True,
    help="Folder of what must survive a reboot.",
)
@click.option(
    "--bpffs",
    type=click.Path(path_type=Path),
    envvar="V6NATIVE_BPFFS",
    default=Paths().bpffs,
    show_default=True,
    help="Where the BPF file system is mounted.",
)
@click.option(
    "--node",
    envvar="V6NATIVE_NODE",
    default=None,
    metavar="NAME",
    help="Which node of the file this is; default: the only one, or the one with this machine's name.",
)
@click.pass_context
def cli(ctx: click.Context, etc: Path, run_dir: Path, var: Path, bpffs: Path, node: str | None) -> None:
    """Runs an IPv6-native network: NAT64, CLAT, DNS64 and tunnels from one file."""
    if ctx.obj is None:
        ctx.obj = App(Paths(etc, run_dir, var, bpffs), node)


def main() -> None:
    """The console script `v6native`."""
    cli()
