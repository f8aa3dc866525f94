# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.fuzz.run FOLDER SECONDS`: the fuzz target under atheris, which looks at what code each case reaches.

FOLDER/seeds is made anew, FOLDER/corpus grows from run to run, and a case that fails is left in FOLDER: `python -m
tests.fuzz.run CASE` runs it alone. Exit status 0 where the time went by without one.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris

from tests.fuzz import corpus

# Of one case, seconds: the largest message takes a few milliseconds.
_TIMEOUT = 5
# What a whole DNS message over TCP may have, and the query and the case's own octets beside it.
_LONGEST = 8192
_MEMORY_MIB = 1024


def main(arguments: list[str]) -> None:
    """Ends the process: libFuzzer does."""
    with atheris.instrument_imports(include=["v6native.dns64", "v6native.address"]):
        # Imported above already, for the seeds: once more, so that it is instrumented.
        for name in [name for name in sys.modules if name.startswith(("v6native.", "tests.fuzz.target"))]:
            del sys.modules[name]
        target = importlib.import_module("tests.fuzz.target")
    folder = Path(arguments[0])
    options = [str(folder)]
    if folder.is_dir():
        grown = folder / "corpus"
        grown.mkdir(exist_ok=True)
        count = corpus.write(folder / "seeds")
        print(f"{count} seeds, {sum(1 for _ in grown.iterdir())} cases from earlier runs", flush=True)
        limits = [f"-max_total_time={int(arguments[1])}", f"-max_len={_LONGEST}", f"-timeout={_TIMEOUT}"]
        limits += [f"-rss_limit_mb={_MEMORY_MIB}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
        options = [*limits, str(grown), str(folder / "seeds")]
    # What became of the case is for the tests of the target.
    atheris.Setup([sys.argv[0], *options], lambda octets: target.exercise(octets) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
