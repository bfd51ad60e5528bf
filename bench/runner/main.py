# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks and writes the report; scripts/bench calls it.

Contestants of a cell are measured in turn, round after round, so that what else the machine does
meets all of them; figures are medians over the rounds, ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import sys
import time

import about
import cells
import contestants
import extras
import meshes
import plots
import report
from places import BENCH, ROOT, Places
from processes import Server
from record import Results


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def prepare(places: Places) -> None:
    """Meshes and the transport model."""
    sys.path.insert(0, str(BENCH))
    import transport_model

    places.work.mkdir(parents=True, exist_ok=True)
    transport_model.write(places.model("transport"))
    for size in cells.SIZES:
        if not places.mesh(size).is_file():
            meshes.write(places.mesh(size), size)


def run_cell(
    cell: cells.Cell, servers: dict[str, Server], results: Results, places: Places, rounds: int
) -> None:
    began = time.monotonic()
    failed: set[str] = set()
    for _ in range(rounds):
        for label, (contestant, own) in cell.contestants.items():
            server = servers.get(contestant.partition(":")[0])
            if label in failed or (server is None and contestant != "floor"):
                continue
            load = {**cell.load, **own}
            try:
                result = contestants.measure(
                    contestant, cell.model, cell.vertices, load, server, places
                )
            except Exception as error:  # one that fails must not lose the others
                failed.add(label)
                results.problems.append(f"{cell.name}, {label}: {error}")
                say(f"    {label}: {error}")
                continue
            results.add(cell.name, label, result)
    say(f"  {cell.name}: {time.monotonic() - began:.0f} s")


def run_cells(wanted: list[cells.Cell], results: Results, places: Places, most_rounds: int) -> None:
    """One model's cells after the other's: each server serves one model. They are started one after
    the other and idle while another is measured."""
    for model in ("transport", "default"):
        of_model = [cell for cell in wanted if cell.model == model]
        names = {c.partition(":")[0] for cell in of_model for c, _ in cell.contestants.values()}
        with contextlib.ExitStack() as stack:
            servers = {}
            for name in sorted(names - {"floor"}):
                if not contestants.available(f"{name}:"):
                    continue
                try:
                    servers[name] = contestants.start(name, model, places)
                except RuntimeError as error:
                    results.problems.append(str(error))
                    say(str(error))
                    continue
                stack.callback(servers[name].stop)
            for cell in of_model:
                run_cell(cell, servers, results, places, min(cell.rounds, most_rounds))
                results.save(places.out / "results.json")


def run_extras(results: Results, places: Places, wanted: re.Pattern[str], quick: bool) -> None:
    steps = {
        "start": lambda: extras.time_to_serve(results, places, 2 if quick else 5),
        "memory": lambda: extras.memory(results, places),
        "idle": lambda: extras.idle_processor_time(results, places),
        "tails": lambda: extras.tails(results, places, quick),
        "pieces": lambda: extras.pieces(results, places, cells.SIZES, quick),
        "click": lambda: extras.click(results, places, 1 if quick else 3),
    }
    for name, step in steps.items():
        if not wanted.search(name):
            continue
        began = time.monotonic()
        try:
            step()
        except Exception as error:  # one that fails must not lose the others
            results.problems.append(f"{name}: {error}")
            say(f"    {name}: {error}")
        results.save(places.out / "results.json")
        say(f"  {name}: {time.monotonic() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/bench")
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        default=ROOT / "models/default.onnx",
        help="measured as the default model",
    )
    parser.add_argument(
        "--cells",
        type=re.compile,
        default=re.compile(""),
        help="only cells and figures whose names this regular expression finds",
    )
    parser.add_argument("--quick", action="store_true", help="one round of everything")
    parser.add_argument("--list", action="store_true", help="name the cells and end")
    parser.add_argument(
        "--add", action="store_true", help="to the last run's results, in place of these cells'"
    )
    parser.add_argument("--report-only", action="store_true", help="from the last run's results")
    arguments = parser.parse_args()
    places = Places(arguments.build.resolve(), arguments.out.resolve(), arguments.model.resolve())
    wanted = [cell for cell in cells.all_cells() if arguments.cells.search(cell.name)]
    if arguments.list:
        print("\n".join(cell.name for cell in wanted))
        return
    raw = places.out / "results.json"
    if arguments.report_only:
        results = Results.load(raw)
    else:
        began = time.monotonic()
        prepare(places)
        results = Results.load(raw) if arguments.add else Results()
        results.about = about.describe(places)
        results.extra["processors"] = os.cpu_count()
        for cell in wanted:
            results.cells.pop(cell.name, None)
        names = tuple(cell.name for cell in wanted)
        results.problems = [text for text in results.problems if not text.startswith(names)]
        run_cells(wanted, results, places, 1 if arguments.quick else 99)
        run_extras(results, places, arguments.cells, arguments.quick)
        results.about["took"] = f"{(time.monotonic() - began) / 60:.1f} minutes"
        results.save(raw)
    pictures = plots.draw(results, places.out)
    (places.out / "report.md").write_text(report.write(results, pictures))
    say(f"{places.out / 'report.md'}")


if __name__ == "__main__":
    main()
