# SPDX-License-Identifier: Apache-2.0
"""The model card's table: `python3 -m training.report --model MAIN.json --left-out GENE.json ...`.

Each file is what `training.evaluate --json` wrote: one of the model itself and one for every
training that left an artist out. Only heads that a model never trained on count.
"""

from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from . import slots

Figures = dict[str, dict]
OPENED = ("aa", "oh", "ou")


def unseen(files: Sequence[Figures], keep: Callable[[str, dict], bool]) -> list[dict]:
    """Figures of the heads in `files` that were not trained on and that `keep` wants."""
    return [f for file in files for name, f in file.items() if f["unseen"] and keep(name, f)]


def mean(heads: Sequence[dict], name: str) -> str:
    values = [f[name] for f in heads if name in f]
    return f"{np.mean(values):.2f}" if values else "-"


def spread(heads: Sequence[dict], name: str) -> str:
    """Mean and range over heads."""
    values = [f[name] for f in heads if name in f]
    if not values:
        return "-"
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def of_kind(heads: Sequence[dict], kind: str, key: str) -> list[float]:
    """One value per expression of a kind: its mean over heads."""
    collected: dict[str, list[float]] = {}
    for figures in heads:
        for name, values in figures["fields"].items():
            if slots.kind(name) == kind:
                collected.setdefault(name, []).append(values[key])
    return [float(np.mean(v)) for v in collected.values()]


def kind_mean(heads: Sequence[dict], kind: str, key: str = "cos") -> str:
    values = [
        np.mean([v[key] for n, v in f["fields"].items() if slots.kind(n) == kind])
        for f in heads
        if any(slots.kind(n) == kind for n in f["fields"])
    ]
    return f"{np.mean(values):.2f}" if values else "-"


def strength(heads: Sequence[dict], kind: str) -> str:
    """Median, least and largest over expressions of our length against the artist's."""
    values = of_kind(heads, kind, "strength")
    if not values:
        return "-"
    return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def total(heads: Sequence[dict], names: str) -> str:
    """Mean and range over heads of the sum of some counts."""
    sums = [sum(v for n, v in f.items() if n in names.split()) for f in heads]
    return f"{np.mean(sums):.0f} ({min(sums):.0f} to {max(sums):.0f})" if sums else "-"


def rows(main: Figures, left_out: Sequence[Figures]) -> list[tuple[str, str, str]]:
    """(what, reached, to reach)"""
    everything = [main, *left_out]
    anime = unseen(left_out, lambda n, f: f["style"] == "anime")
    gene = unseen(left_out, lambda n, f: n == "gene")
    real = unseen(left_out, lambda n, f: f["style"] == "human" and n not in ("makehuman", "ict"))
    human = unseen([main], lambda n, f: n == "makehuman")
    ict = unseen([main], lambda n, f: n == "ict")
    every = unseen(everything, lambda n, f: True)
    kinds = (("visemes", "viseme"), ("units", "unit"), ("emotions", "emotion"))
    forces = "; ".join(
        f"{style} {label} {strength(heads, kind)}"
        for style, heads in (("anime", anime), ("realistic", real), ("MakeHuman", human))
        for label, kind in kinds
        if of_kind(heads, kind, "strength")
    )
    return [
        ("anime, left-out artists: visemes / emotions",
         f"{kind_mean(anime, 'viseme')} / {kind_mean(anime, 'emotion')}", ".60 / .60"),
        ("anime, 50 ARKit units (gene left out)", kind_mean(gene, "unit"), ".72"),
        ("realistic, left-out artists: ARKit / visemes",
         f"{kind_mean(real, 'unit')} / {kind_mean(real, 'viseme')}", ".86 / .72"),
        ("unseen MakeHuman identities: ARKit / visemes; ICT: ARKit",
         f"{kind_mean(human, 'unit')} / {kind_mean(human, 'viseme')}; {kind_mean(ict, 'unit')}",
         ".93 / .88; .90"),
        ("strength, median (least to largest)", forces,
         "median .85-1.15, none under .6 or over 1.6"),
        ("Blink, anime: travel; gap; worst column",
         f"{spread(anime, 'travel')}; {spread(anime, 'gap')}; {spread(anime, 'gap_largest')}",
         ".9-1.1; -.02-.04, corners too"),
        ("Blink, realistic: travel; gap; relative L2",
         f"{spread(real, 'travel')}; {spread(real, 'gap')}; {mean(real, 'blink_rel')}",
         ".9-1.1; .04; .60"),
        ("triangles folded or sheared beyond the artist's, per head (Blink, Joy, aa)",
         total(every, "folds_Blink folds_Joy folds_aa"), "none"),
        ("opening aa, oh, ou, anime; realistic",
         "; ".join(" ".join(mean(h, "open_" + v) for v in OPENED) for h in (anime, real)),
         ".85-1.15 each"),
        ("PP gap beyond the artist's, mouth widths", spread(real + human, "pp_gap"), "sealed"),
        ("vowels, ours / the artist's, anime; realistic",
         "; ".join(f"{mean(h, 'vowels')} / {mean(h, 'vowels_artist')}" for h in (anime, real)),
         "within .05"),
        ("relative L2, anime: Blink; visemes",
         f"{mean(anime, 'blink_rel')}; {kind_mean(anime, 'viseme', 'rel')}", ".40; .85"),
        ("share of motion on parts that the artist never moves", spread(every, "spill"), ".03"),
        ("edges stretched more than 4 times, per head", total(every, "stretched"), "none"),
        ("loss of cosine with hair; with body",
         f"{spread(every, 'loss_hair')}; {spread(every, 'loss_body')}", ".02"),
        ("loss of cosine without normals", spread(every, "loss_normals"), ".08"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--left-out", type=pathlib.Path, nargs="*", default=[])
    arguments = parser.parse_args()
    first, *others = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in [arguments.model, *arguments.left_out]
    )
    print("| on artists and identities never trained on | reached | to reach |\n|---|---|---|")
    for cells in rows(first, others):
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
