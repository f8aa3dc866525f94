# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""How many normative words each section of an RFC has, and how many the rows of our tables stand for.

`python tests/conventions/normative.py rfc7915.txt ...` counts texts of the RFC Editor, and prints what
docs/rfc-compliance/words.toml holds. The RFCs themselves are not part of this project; they never change once published.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

KINDS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT")
_KEY = {kind: f'"{kind}"' if " " in kind else kind for kind in KINDS}

_FURNITURE = re.compile(r"\n[^\n]*\[Page \d+\]\s*\n\f?\s*RFC \d+ [^\n]*\n")
_HEADING = re.compile(r"^(?:(\d+(?:\.\d+)*)\.?|Appendix ([A-Z])\.?|([A-Z](?:\.\d+)+)\.?) {1,3}\S")
_CONTENTS = re.compile(r"\.{3,}|(?:\. ){3}")
_KEY_WORDS = re.compile(r"(?:(?<=\n\n)|^)[^\S\n]*The key\s+words(?:.+\n)*", re.MULTILINE)
_WORD = re.compile(r"\b(?:(MUST|SHALL|SHOULD|REQUIRED)|(NOT\s+)?(RECOMMENDED))\b(\s+NOT\b)?")


def _kind(found: re.Match[str]) -> str:
    """RFC 2119 §1 to §4: SHALL and REQUIRED are MUST, RECOMMENDED is SHOULD."""
    strong, not_before, _, not_behind = found.groups()
    word = "MUST" if strong in ("MUST", "SHALL", "REQUIRED") else "SHOULD"
    return f"{word} NOT" if not_before or not_behind else word


def counted(text: str) -> dict[str, Counter[str]]:
    """What an RFC asks, as section → kind → how often; sections without any are left out.

    `text` is the RFC Editor's plain text. Page headers and footers do not count, nor do the table of contents and the
    paragraph that says what the key words mean. A subsection's words are not its section's.
    """
    text = _KEY_WORDS.sub("\n", _FURNITURE.sub("\n", text))
    bodies: dict[str, list[str]] = {}
    section = "0"
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading and not _CONTENTS.search(line):
            section = next(group for group in heading.groups() if group)
        bodies.setdefault(section, []).append(line)
    counts = {name: Counter(_kind(found) for found in _WORD.finditer("\n".join(body))) for name, body in bodies.items()}
    return {name: count for name, count in counts.items() if count}


def stood_for(cell: str) -> Counter[str]:
    """What the cell "words" of a row says: `2 MUST, 1 SHOULD NOT`; a dash where the RFC asks in other words.

    Raises ValueError for anything else.
    """
    count: Counter[str] = Counter()
    for part in cell.split(", ") if cell != "–" else []:
        number, _, kind = part.partition(" ")
        if kind not in KINDS or kind in count or int(number) < 1:
            raise ValueError(f"{cell!r} is no list of numbers and of {', '.join(KINDS)}")
        count[kind] = int(number)
    return count


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        print(f"\n[{path.stem}]")
        for section, count in counted(path.read_text()).items():
            kinds = ", ".join(f"{_KEY[kind]} = {count[kind]}" for kind in KINDS if count[kind])
            print(f'"{section}" = {{ {kinds} }}')


if __name__ == "__main__":
    main(sys.argv[1:])
