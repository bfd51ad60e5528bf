# SPDX-License-Identifier: Apache-2.0
"""The pictures of the report. Times on log axes, with a dotted line for growth that is linear."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from cells import CLIENTS, EXPRESSIONS, SIZES
from record import Results

COLOURS = {
    "floor": "#7f7f7f",
    "C++ first": "#9ecae1",
    "C++": "#2171b5",
    "Python": "#238b45",
    "reference": "#d94801",
    "Triton": "#6a51a3",
    "Triton shared memory": "#9e9ac8",
    "MLServer": "#e7298a",
}
NAMES = {
    "C++": "Blendwire, C++ (mesh known)",
    "C++ first": "Blendwire, C++ (new mesh)",
    "Python": "Blendwire, Python (mesh known)",
    "reference": "specification's design",
    "floor": "ONNX Runtime in process",
}


def _line(
    axes: plt.Axes,
    results: Results,
    label: str,
    points: Sequence[tuple[int, str]],
    field: str = "p50_ms",
) -> list[tuple[int, float]]:
    """One contestant over several cells; the bar spans the rounds."""
    found = [(x, sorted(results.values(cell, label, field))) for x, cell in points]
    found = [(x, values) for x, values in found if values]
    if not found:
        return []
    middle = [values[len(values) // 2] for _, values in found]
    below = [m - values[0] for m, (_, values) in zip(middle, found, strict=True)]
    above = [values[-1] - m for m, (_, values) in zip(middle, found, strict=True)]
    xs = [x for x, _ in found]
    axes.errorbar(
        xs,
        middle,
        [below, above],
        label=NAMES.get(label, label),
        marker="o",
        markersize=4,
        capsize=2,
        color=COLOURS.get(label),
    )
    return list(zip(xs, middle, strict=True))


def _linear(axes: plt.Axes, line: list[tuple[int, float]]) -> None:
    if len(line) < 2:
        return
    (x0, _), (x1, y1) = line[0], line[-1]
    axes.plot([x0, x1], [y1 * x0 / x1, y1], ":", color="black", linewidth=1, label="linear")


def _finish(figure: plt.Figure, path: pathlib.Path) -> str:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path.name


def _against_vertices(results: Results, out: pathlib.Path) -> str | None:
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    drawn = False
    for axes, model in zip(panels, ("transport", "default"), strict=True):
        points = [(size, f"single {model} {size}") for size in SIZES]
        lines = {
            label: _line(axes, results, label, points)
            for label in ("floor", "C++ first", "C++", "Python", "reference")
        }
        drawn |= any(lines.values())
        _linear(axes, lines["C++ first"])
        axes.set(
            xscale="log", yscale="log", xlabel="vertices", title=f"one expression, {model} model"
        )
        axes.grid(True, which="both", alpha=0.25)
    panels[0].set_ylabel("milliseconds for one call (median)")
    panels[0].legend(fontsize=8)
    return _finish(figure, out / "vertices.png") if drawn else None


def _against_expressions(results: Results, out: pathlib.Path) -> str | None:
    figure, axes = plt.subplots(figsize=(6, 4.6))
    points = [(count, f"expressions {count} default 5000") for count in EXPRESSIONS]
    lines = [_line(axes, results, label, points) for label in ("C++ first", "C++")]
    if not any(lines):
        plt.close(figure)
        return None
    _linear(axes, lines[0])
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="expressions in one batch, 5,000 vertices",
        ylabel="milliseconds for one call (median)",
        title="default model",
    )
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    return _finish(figure, out / "expressions.png")


def _against_clients(results: Results, out: pathlib.Path) -> str | None:
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.6))
    drawn = False
    for axes, model in zip(panels, ("transport", "default"), strict=True):
        points = [(count, f"clients {count} {model} 20000") for count in CLIENTS]
        for label in ("C++", "reference", "Triton"):
            drawn |= bool(_line(axes, results, label, points, "per_second"))
        floors = ("floor, all cores, 1 run", "floor, all cores, 2 runs")
        best = max(
            (results.median(cell, name, "per_second") or 0.0)
            for _, cell in points
            for name in floors
        )
        if best and model == "default":
            axes.axhline(best, color=COLOURS["floor"], label="ONNX Runtime in process, all cores")
        axes.set(xscale="log", xlabel="clients", title=f"20,000 vertices, {model} model")
        axes.set_xticks(CLIENTS, [str(count) for count in CLIENTS])
        axes.set_ylim(bottom=0)
        axes.grid(True, alpha=0.25)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
    panels[0].set_ylabel("requests per second")
    return _finish(figure, out / "clients.png") if drawn else None


def draw(results: Results, out: pathlib.Path) -> list[str]:
    """File names of the pictures there is something for."""
    made = [
        _against_vertices(results, out),
        _against_expressions(results, out),
        _against_clients(results, out),
    ]
    return [name for name in made if name]
