# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks must show, line by line: figure, what is asked for, whether it is so."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable

from record import Results


@dataclasses.dataclass(frozen=True)
class Verdict:
    what: str
    asked: str
    figure: str  # "" if it was not measured
    reached: bool | None = None
    busy: bool = False  # the machine had other work: times say little, processor time still does


def _ratio(
    results: Results,
    what: str,
    cell: str,
    above: str,
    below: str,
    asked: float,
    *,
    at_least: bool,
    field: str = "p50_ms",
) -> Verdict:
    found = results.ratio(cell, above, below, field)
    wanted = f"{'at least' if at_least else 'at most'} {asked:g}"
    if found is None:
        return Verdict(what, wanted, "")
    middle, low, high = found
    reached = middle >= asked if at_least else middle <= asked
    figure = f"{middle:.3g} ({low:.3g} to {high:.3g})"
    best_above, best_below = results.best(cell, above), results.best(cell, below)
    if field == "p50_ms" and best_above and best_below:
        figure += f"; best calls {best_above / best_below:.3g}"
    cpu_above, cpu_below = (results.processor_seconds(cell, name) for name in (above, below))
    if field == "p50_ms" and cpu_above and cpu_below:
        figure += f"; processor time {cpu_above / cpu_below:.3g}"
    return Verdict(what, wanted, figure, reached, results.busy(cell))


def _faster(
    results: Results, what: str, cell: str, ours: str, theirs: str, times: float
) -> Verdict:
    return _ratio(results, what, cell, theirs, ours, times, at_least=True)


def _transport(results: Results) -> list[Verdict]:
    big, small = "single transport 100000", "single transport 1000"
    rows = []
    # Plain is what the others do: the model, and neither triangles nor smoothing.
    notes = {"": "", " plain": ", plain", " first": ", new mesh each call"}
    for mesh, note in notes.items():
        rows += [
            _faster(
                results,
                f"transport, 100k, C++ client, against the reference{note}",
                big,
                f"C++{mesh}",
                "reference",
                25,
            ),
            _faster(results, f"the same from Python{note}", big, f"Python{mesh}", "reference", 15),
            _faster(
                results,
                f"transport, 1k, C++ client, against the reference{note}",
                small,
                f"C++{mesh}",
                "reference",
                4,
            ),
        ]
    rows += [
        _faster(
            results,
            "transport, 1k, from Python, against the reference",
            small,
            "Python",
            "reference",
            4,
        ),
    ]
    for contestant in ("Python plain", "Python", "Python socket"):
        for peer, at_least in (("Triton", 3), ("Triton shared memory", 1.5), ("MLServer", 30)):
            label = f"transport, 100k, {contestant}, against {peer}"
            rows.append(_faster(results, label, big, contestant, peer, at_least))
    # Nothing is asked for from C++; the same figures, to see by.
    for peer, at_least in (("Triton C++", 3), ("Triton C++ shared memory", 1.5)):
        label = f"transport, 100k, C++ plain, against {peer}"
        rows.append(_faster(results, label, big, "C++ plain", peer, at_least))
    return rows


def _default(results: Results) -> list[Verdict]:
    batch, single = "batch 15 default 20000", "single default 20000"
    return [
        _ratio(
            results,
            "default, 20k, single, new mesh: ours / floor",
            single,
            "C++ first",
            "floor",
            1.05,
            at_least=False,
        ),
        _ratio(
            results,
            "15 on one new mesh: ours / 1 run of the floor",
            batch,
            "C++ first",
            "floor, 1 expression",
            1.2,
            at_least=False,
        ),
        _ratio(
            results,
            "the reference's 15 / 1 run of the floor",
            batch,
            "reference",
            "floor, 1 expression",
            15,
            at_least=True,
        ),
        _ratio(
            results,
            "the same mesh again / first time, 1 expression",
            single,
            "C++",
            "C++ first",
            0.1,
            at_least=False,
        ),
        _ratio(
            results,
            "the same mesh again / first time, 15 expressions",
            batch,
            "C++",
            "C++ first",
            0.1,
            at_least=False,
        ),
    ]


def _clients(results: Results) -> list[Verdict]:
    rows = []
    for count in (16, 64):
        cell = f"clients {count} default 20000"
        floors = ("floor, all cores, 1 run", "floor, all cores, 2 runs")
        best = max(floors, key=lambda name: results.median(cell, name, "per_second") or 0.0)
        rows.append(
            _ratio(
                results,
                f"{count} clients, 20k: throughput / best floor on all cores",
                cell,
                "C++",
                best,
                0.95,
                at_least=True,
                field="per_second",
            )
        )
    cell = "clients 64 default 20000"
    rows.append(
        _ratio(
            results,
            "64 clients, 20k: throughput / Triton's",
            cell,
            "C++",
            "Triton",
            1,
            at_least=True,
            field="per_second",
        )
    )
    rows.append(
        _ratio(
            results,
            "64 clients, 20k: p99 / Triton's",
            cell,
            "C++",
            "Triton",
            1,
            at_least=False,
            field="p99_ms",
        )
    )
    for name, entry in results.extra.get("tails", {}).items():
        ratio = entry["p99_ms"] / entry["p50_ms"]
        rows.append(
            Verdict(
                f"p99 / p50 at 80 % load, {name}",
                "at most 3",
                f"{ratio:.2f} ({entry['calls']} calls)",
                ratio <= 3,
            )
        )
    return rows


def _limit(what: str, value: float | None, limit: float, unit: str) -> Verdict:
    if value is None:
        return Verdict(what, f"at most {limit:g} {unit}", "")
    return Verdict(what, f"at most {limit:g} {unit}", f"{value:.3g} {unit}", value <= limit)


def _process(results: Results) -> list[Verdict]:
    memory = results.extra.get("memory", {}).get("tcp")
    starts = results.extra.get("start", {}).get("tcp default", [])
    seconds = statistics.median(entry["seconds"] for entry in starts) if starts else None
    return [
        _limit("resident when idle, default model", memory and memory["idle_mib"], 60, "MiB"),
        _limit(
            "above idle while 20k x 15 runs",
            memory and memory["peak_mib"] - memory["idle_mib"],
            40,
            "MiB",
        ),
        _limit("exec to SERVING, default model", seconds, 0.3, "s"),
    ]


def _pieces(results: Results) -> list[Verdict]:
    found = results.extra.get("pieces", {})
    what = "smoothing, 2 iterations, 100k vertices: bytes per second / memcpy's"
    try:
        smoothing, memcpy = found["smoothing"]["100000"], found["memcpy"]["100000"]
    except KeyError:
        return [Verdict(what, "at least 0.5", "")]
    ratio = smoothing["bytes_per_second"] / memcpy["bytes_per_second"]
    strict = smoothing["offset_bytes_per_second"] / memcpy["bytes_per_second"]
    figure = f"{ratio:.2f} (offsets alone, without the lists of neighbours: {strict:.2f})"
    return [Verdict(what, "at least 0.5", figure, ratio >= 0.5)]


def _click(results: Results) -> list[Verdict]:
    rounds = results.extra.get("click", [])
    if not rounds:
        return [Verdict("click to 15 keys, 20k vertices, Blender", "at most 1 s", "")]
    seconds = statistics.median(entry["seconds"] for entry in rounds)
    rest = statistics.median(entry["seconds"] - entry["model_seconds"] for entry in rounds)
    return [
        _limit("click to 15 keys, 20k vertices, Blender", seconds, 1.0, "s"),
        _limit("of that outside the model", rest, 0.15, "s"),
    ]


def all_verdicts(results: Results) -> list[Verdict]:
    groups: list[Callable[[Results], list[Verdict]]] = [
        _transport, _default, _clients, _process, _pieces, _click,
    ]  # fmt: skip
    return [verdict for group in groups for verdict in group(results)]
