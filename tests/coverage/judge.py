# SPDX-License-Identifier: Apache-2.0
"""Lists the lines of src/ that no test runs, each with the reason that reasons.toml gives for it.

    judge.py COVERAGE.JSON LINES.MD

COVERAGE.JSON is gcovr's. A line counts as run if one instance of its template or inline function was.
"""

from __future__ import annotations

import collections
import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 90.0  # per cent of the lines


def runs_of_lines(report: dict) -> dict[str, dict[int, int]]:
    """How often each line ran, by file."""
    runs: dict[str, dict[int, int]] = {}
    for file in report["files"]:
        lines = runs.setdefault(file["file"], collections.defaultdict(int))
        for line in file["lines"]:
            number = line["line_number"]
            lines[number] = max(lines[number], line["count"])
    return runs


def reason_for(reasons: list[dict], file: str, text: str) -> str | None:
    """The first reason that fits the file and the line's text."""
    for reason in reasons:
        if re.search(reason.get("file", ""), file) and re.search(reason.get("line", ""), text):
            return str(reason["why"])
    return None


def statement(source: list[str], number: int) -> str:
    """The line, and what it goes on from: a message is judged with its `return`."""
    first = number
    while first > 1 and not re.search(r"[;{}:]\s*(//.*)?$", source[first - 2]) and number - first < 6:
        first -= 1
    return " ".join(line.strip() for line in source[first - 1 : number])


def main(report: str, output: str) -> int:
    runs = runs_of_lines(json.loads(pathlib.Path(report).read_text()))
    reasons = tomllib.loads((ROOT / "tests/coverage/reasons.toml").read_text())["reason"]
    by_reason: dict[str, list[str]] = {str(reason["why"]): [] for reason in reasons}
    without: list[str] = []
    for file, lines in sorted(runs.items()):
        source = (ROOT / file).read_text().split("\n")
        for number in sorted(n for n, count in lines.items() if count == 0):
            why = reason_for(reasons, file, statement(source, number))
            entry = f"{file}:{number}: `{source[number - 1].strip()}`"
            (without if why is None else by_reason[why]).append(entry)
    total = sum(map(len, runs.values()))
    left = len(without) + sum(map(len, by_reason.values()))
    percent = 100.0 * (total - left) / total
    text = f"{total - left} of {total} lines run: {percent:.1f} %. The other {left}, and why:\n"
    for why, entries in [*by_reason.items(), ("no reason", without)]:
        if entries:
            text += f"\n## {why} ({len(entries)})\n\n" + "".join(f"- {e}\n" for e in entries)
    pathlib.Path(output).write_text(text)
    print(f"{percent:.1f} % of {total} lines run; {left} do not, {len(without)} without a reason: {output}")
    for entry in without:
        print(f"  {entry}")
    return 1 if without or percent < LEAST else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
