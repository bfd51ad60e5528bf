# SPDX-License-Identifier: Apache-2.0
"""out/bench/report.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from record import Results
from verdicts import Verdict, all_verdicts


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _verdict_row(verdict: Verdict) -> list[str]:
    said = {True: "reached", False: "**not reached**", None: "not measured"}[verdict.reached]
    if verdict.busy:
        said += ", but the machine was busy"
    return [verdict.what, verdict.asked, verdict.figure or "-", said]


def _cell_rows(results: Results, cell: str) -> Iterable[list[str]]:
    for label, rounds in results.cells[cell].items():
        times = results.values(cell, label)
        spread = f"{_number(min(times))} to {_number(max(times))}" if times else ""
        cpu, own = (results.median(cell, label, field) for field in ("cpu_s", "caller_cpu_s"))
        yield [
            label,
            _number(results.best(cell, label)),
            *(_number(results.median(cell, label, f"p{p}_ms")) for p in (50, 95, 99)),
            spread,
            _number(results.median(cell, label, "per_second")),
            *(_number(value * 1000 if value is not None else None) for value in (cpu, own)),
            f"{sum(entry['calls'] for entry in rounds)} in {len(rounds)}",
            f"{min(e['loadavg'] for e in rounds):.1f} to {max(e['loadavg'] for e in rounds):.1f}",
        ]


def _cells(results: Results) -> list[str]:
    head = [
        "",
        "best ms",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "p50 over the rounds",
        "per second",
        "server's CPU ms per call",
        "caller's",
        "calls in rounds",
        "load average",
    ]
    lines = []
    for cell in results.cells:
        lines += [f"### {cell}", "", *_table(head, _cell_rows(results, cell))]
    return lines


def _start(results: Results) -> list[str]:
    rows = []
    for name, entries in results.extra.get("start", {}).items():
        seconds = [entry["seconds"] for entry in entries]
        rows.append(
            [
                name,
                _number(statistics.median(seconds)),
                f"{_number(min(seconds))} to {_number(max(seconds))}",
                f"{max(entry['loadavg'] for entry in entries):.1f}",
            ]
        )
    head = ["exec to SERVING", "seconds", "spread", "highest load average"]
    return _table(head, rows) if rows else []


def _memory(results: Results) -> list[str]:
    rows = [
        [name, *(_number(entry[key]) for key in ("idle_mib", "peak_mib", "after_mib")),
         _number(100 * results.extra.get("idle_cpu", {}).get(name, float("nan")))]
        for name, entry in results.extra.get("memory", {}).items()
    ]  # fmt: skip
    head = ["resident, MiB", "idle", "peak, 20k x 15", "3 s after", "% of a core when idle"]
    return _table(head, rows) if rows else []


def _tails(results: Results) -> list[str]:
    rows = [
        [name, *(_number(entry[key]) for key in
                 ("most_per_second", "rate", "p50_ms", "p95_ms", "p99_ms", "max_ms")),
         str(entry["calls"]), f"{entry['loadavg']:.1f}"]
        for name, entry in results.extra.get("tails", {}).items()
    ]  # fmt: skip
    head = [
        "80 % load",
        "most per second",
        "rate",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "calls",
        "load average",
    ]
    return _table(head, rows) if rows else []


def _pieces(results: Results) -> list[str]:
    found = results.extra.get("pieces", {})
    sizes = list(next(iter(found.values()), {}))
    rows = []
    for piece, entries in found.items():
        rate = entries[sizes[-1]].get("bytes_per_second")
        rows.append(
            [
                piece,
                *(_number(entries[size]["cpu_ns"] / 1000) for size in sizes),
                _number(rate / 1e9 if rate else None),
            ]
        )
    head = ["microseconds", *(f"{int(size):,}" for size in sizes), "GB/s at the largest"]
    return _table(head, rows) if rows else []


def _click(results: Results) -> list[str]:
    rows = [
        [entry["blender"], str(entry["keys"]), _number(entry["first_seconds"]),
         _number(entry["seconds"]), _number(entry["model_seconds"]), f"{entry['loadavg']:.1f}"]
        for entry in results.extra.get("click", [])
    ]  # fmt: skip
    head = [
        "Blender",
        "keys",
        "first click, server's start included, s",
        "second click, new mesh, s",
        "of that in the model, s",
        "load average",
    ]
    return _table(head, rows) if rows else []


def write(results: Results, pictures: list[str]) -> str:
    lines = ["# Benchmarks", ""]
    lines += [f"- {key}: {value}" for key, value in results.about.items()]
    lines += [
        "",
        "Contestants of a cell were measured in turn, round after round. Times are medians over "
        "the rounds; ratios are medians of the rounds' own ratios, with the smallest and the "
        "largest, and the ratio of the shortest calls, and of the processor time that server and "
        "caller take for one, which a busy machine disturbs least. `floor` is ONNX Runtime in "
        "process, with the server's session settings; `reference` is the specification's server "
        "and client. `first`: every call sends a mesh that was not seen before. Every call of "
        "ours smooths twice and clamps, except `plain`, which is what the reference's request "
        "has; the reference's smoothing does nothing.",
        "",
        "## What it must show",
        "",
        *_table(["", "asked", "figure", ""], map(_verdict_row, all_verdicts(results))),
    ]
    lines += [f"![]({name})\n" for name in pictures]
    lines += [
        "## Process",
        "",
        *_start(results),
        *_memory(results),
        *_tails(results),
        *_click(results),
    ]
    lines += ["## Pieces", "", *_pieces(results), "## Cells", "", *_cells(results)]
    if results.problems:
        lines += [
            "## What could not be measured",
            "",
            *(f"- {' '.join(text.split())}" for text in results.problems),
            "",
        ]
    return "\n".join(lines)
