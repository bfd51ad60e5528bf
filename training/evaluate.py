# SPDX-License-Identifier: Apache-2.0
"""Judges a model: `python3 -m training.evaluate --cache CACHE --model MODEL.onnx`.

Measures it on unseen identities and on artists' heads, prints a table (measures.py says what the
figures mean) and writes them all with --json, for `training.report`. --server ADDRESS asks a
running server instead of the file: what users get. --sheets FOLDER draws the artist's shapes over
ours.
"""

from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from . import measures, predictors, rigs, sheets, slots, warps
from .measures import Head
from .split import HELD_OUT, TRAIN_IDENTITIES

_SYNTHESISED = ("makehuman", "ict")
Figures = dict[str, dict]


def with_hair(head: Head) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(vertices, normals, triangles) of the head and behind it as many vertices of a
    random haircut: small triangles that lie in the haircut's surface."""
    units = warps.FaceUnits.of(head.rig.marks[head.identity])
    rng = np.random.default_rng(head.identity)
    points, outward = warps.hair(rng, len(head.vertices) // 3)
    side = np.cross(outward, rng.normal(0, 1, outward.shape))
    side *= 0.03 / np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(outward, side)
    corners = np.stack([points + side, points + up, points - side - up], 1).reshape(-1, 3)
    corners = corners / units.scale + units.origin
    return (
        np.concatenate([head.vertices, corners]).astype(np.float32),
        np.concatenate([head.normals, np.repeat(outward, 3, 0)]).astype(np.float32),
        np.concatenate(
            [head.triangles, np.arange(len(corners)).reshape(-1, 3) + len(head.vertices)]
        ),
    )


def robustness(head: Head, predict: predictors.Predictor, bare: float) -> dict[str, float]:
    """Loss of mean cosine with hair, with the whole body, and without normals."""
    result = {}
    vertices, normals, triangles = with_hair(head)
    ours = predict(vertices, normals, triangles)[: len(head.vertices)]
    result["loss_hair"] = bare - measures.mean_cosine(head, ours)
    ours = predict(head.vertices, None, head.triangles)
    result["loss_normals"] = bare - measures.mean_cosine(head, ours)
    whole = Head.of(head.rig, head.identity, whole=True)
    if len(whole.vertices) > len(head.vertices):
        ours = predict(whole.vertices, whole.normals, whole.triangles)
        result["loss_body"] = bare - measures.mean_cosine(head, ours[head.index])
    return result


def judge(head: Head, predict: predictors.Predictor, more: bool = True) -> dict:
    predicted = predict(head.vertices, head.normals, head.triangles)
    figures = measures.all_figures(head, predicted)
    figures["style"] = head.rig.style
    if more:
        bare = measures.mean_cosine(head, predicted)
        figures.update(robustness(head, predict, bare))
    return figures


def heads_of(rig: rigs.Rig, count: int) -> list[Head]:
    """The avatar itself, or `count` identities that training does not draw."""
    if rig.name not in TRAIN_IDENTITIES:
        return [Head.of(rig, 0)]
    first = TRAIN_IDENTITIES[rig.name]
    return [Head.of(rig, i) for i in range(first, min(rig.count, first + count))]


def merged(results: Sequence[dict]) -> dict:
    """Means over heads, numbers by name and `fields` by expression."""
    out: dict = {"fields": {}, "style": results[0]["style"]}
    for name in {n for r in results for n in r if n not in ("fields", "style")}:
        values = [r[name] for r in results if name in r]
        worst = name.startswith(("stretched", "folds")) or name.endswith("largest")
        out[name] = float(np.max(values) if worst else np.mean(values))
    for slot in {n for r in results for n in r["fields"]}:
        values = [r["fields"][slot] for r in results if slot in r["fields"]]
        out["fields"][slot] = {k: float(np.mean([v[k] for v in values])) for k in values[0]}
    return out


def by_kind(figures: dict, kind: str, key: str) -> list[float]:
    return [f[key] for name, f in figures["fields"].items() if slots.kind(name) == kind]


HEADER = (
    "| heads | visemes cos / rel / strength | units | emotions | blink travel, gap (worst) | "
    "open aa oh ou | PP gap | vowels ours / artist | spill | folds | stretched | "
    "hair, body, normals |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def row(label: str, figures: dict) -> str:
    def number(name: str) -> str:
        return f"{figures[name]:.2f}" if name in figures else "-"

    cells = []
    for kind in ("viseme", "unit", "emotion"):
        if by_kind(figures, kind, "cos"):
            cells.append(
                f"{np.mean(by_kind(figures, kind, 'cos')):.2f} / "
                f"{np.mean(by_kind(figures, kind, 'rel')):.2f} / "
                f"{np.median(by_kind(figures, kind, 'strength')):.2f}"
            )
        else:
            cells.append("-")
    cells.append(f"{number('travel')}, {number('gap')} ({number('gap_largest')})")
    cells.append(" ".join(number("open_" + v) for v in ("aa", "oh", "ou")))
    cells.append(number("pp_gap"))
    cells.append(f"{number('vowels')} / {number('vowels_artist')}")
    cells.append(number("spill"))
    folds = [figures.get("folds_" + s) for s in ("Blink", "Joy", "aa")]
    cells.append(" ".join("-" if f is None else f"{f:.0f}" for f in folds))
    cells.append(f"{figures['stretched']:.0f}")
    cells.append(" ".join(number("loss_" + n) for n in ("hair", "body", "normals")))
    return f"| {label} | " + " | ".join(cells) + " |"


def judge_all(
    loaded: Iterable[rigs.Rig], predict: predictors.Predictor, count: int, unseen: Sequence[str]
) -> Figures:
    """rig -> figures, printed as they come; `unseen` are rigs that this model never trained on."""
    print(HEADER)
    results: Figures = {}
    for rig in loaded:
        heads = heads_of(rig, count)
        more = rig.name in unseen or rig.name in _SYNTHESISED or rig.style == "anime"
        figures = merged([judge(head, predict, more) for head in heads])
        figures["unseen"] = rig.name in unseen or rig.name in _SYNTHESISED
        results[rig.name] = figures
        label = rig.name + ("" if figures["unseen"] else " (trained on)")
        print(row(label, figures), flush=True)
    return results


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cache", type=pathlib.Path, required=True, help="rigs of training.prepare")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=pathlib.Path, help="an ONNX file: the network alone")
    source.add_argument("--server", help="address of a running server: what users get")
    add("--heads", nargs="*", help="only these rigs")
    add("--unseen", nargs="*", default=[], help="more rigs that this model never trained on")
    add("--count", type=int, default=8, help="identities per synthesised rig")
    add("--json", type=pathlib.Path, help="where to write all figures")
    add("--sheets", type=pathlib.Path, help="folder for contact sheets")
    add("--overview", type=pathlib.Path, help="file for one small picture")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    predict: predictors.Predictor = (
        predictors.OnnxFile(arguments.model)
        if arguments.model
        else predictors.Server(arguments.server)
    )
    paths = sorted(arguments.cache.glob("*.npz"))
    chosen = [p for p in paths if not arguments.heads or p.stem in arguments.heads]
    loaded = [rigs.load(path) for path in chosen]
    results = judge_all(loaded, predict, arguments.count, [*HELD_OUT, *arguments.unseen])
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    heads = [head for rig in loaded for head in heads_of(rig, 2)]
    if arguments.sheets:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
        for head in heads:
            sheets.draw(head, predict, arguments.sheets)
    if arguments.overview:
        sheets.overview(heads, predict, arguments.overview)


if __name__ == "__main__":
    main()
