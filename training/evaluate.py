# SPDX-License-Identifier: Apache-2.0
"""Measures an exported model: `python3 -m training.evaluate --cache CACHE --model MODEL.onnx`.

Prints one row per group of heads and, with --sheet FOLDER, draws truth over prediction.

- rel: |prediction - artist| / |artist| over all vertices of the head, mean over expressions.
- cos: cosine between prediction and artist, likewise.
- lips: part of the lip vertices that visemes push the right way. Lip vertices touch (contact above
  one half) and move at least a tenth of the expression's fastest vertex; lower ones go down in the
  artist's shape, upper ones up. Right: the predicted offset points to the artist's side.
- travel: how far the upper lid's rim goes along the artist's blink (1: all the way).
- gap: height of the eye that a blink leaves open, as a part of its height at rest, never below 0 in
  a column; "largest" is the worst column of nine. The artist's own value stands behind the slash.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Callable, Iterable

import numpy as np
import onnxruntime

from . import contact, geometry, landmarks, picture, rigs, slots, warps
from .split import HELD_OUT, TRAIN_IDENTITIES

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]
SHEET_SLOTS = (
    "viseme_aa viseme_oh viseme_ou viseme_E viseme_ih viseme_FF viseme_PP jawOpen "
    "emotion_Joy emotion_Angry emotion_Sorrow emotion_Surprised emotion_Blink eyeBlinkLeft"
).split()
OVERVIEW_SLOTS = (
    "viseme_aa viseme_oh viseme_ou viseme_E viseme_FF emotion_Joy emotion_Angry emotion_Surprised "
    "emotion_Blink"
).split()
OVERVIEW_AVATARS = ("valid_white_m_2", "seedsan", "gene", "unitykun")


def open_model(path: pathlib.Path, threads: int = 1) -> Predict:
    """A function from vertices and normals (N,3) to offsets (N,K,3)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    every = np.eye(slots.COUNT, dtype=np.float32)

    def predict(vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        inputs = {
            "vertices": vertices[None].astype(np.float32),
            "normals": normals[None].astype(np.float32),
            "condition": every,
        }
        return np.moveaxis(session.run(None, inputs)[0], 0, 1)

    return predict


@dataclasses.dataclass
class Head:
    """One identity of a rig, cut to what is measured."""

    rig: rigs.Rig
    identity: int
    index: np.ndarray  # vertices that the model gets
    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    truth: np.ndarray  # (n,K,3)

    @staticmethod
    def of(rig: rigs.Rig, identity: int, whole: bool = False) -> Head:
        points, marks = rig.identities[identity], rig.marks[identity]
        chin = marks[landmarks.NAMES.index("chin"), 2]
        level = chin - 0.4 * (points[:, 2].max() - chin)
        keep = np.full(len(points), True) if whole else points[:, 2] > level
        index = np.nonzero(keep)[0]
        renumber = np.full(len(points), -1)
        renumber[index] = np.arange(len(index))
        triangles = renumber[rig.triangles[keep[rig.triangles].all(1)]]
        normals = rig.normals[identity, index].astype(np.float32)
        truth = rig.all_offsets(identity)[index]
        return Head(rig, identity, index, points[index], normals, triangles, truth)


def compare(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """(relative L2, cosine) of two (n,3) fields."""
    size, reach = np.linalg.norm(truth), np.linalg.norm(predicted)
    relative = float(np.linalg.norm(predicted - truth) / max(size, 1e-12))
    return relative, float((truth * predicted).sum() / max(size * reach, 1e-12))


def lips_right(head: Head, predicted: np.ndarray) -> tuple[list[float], list[float]]:
    """Per viseme: parts of the lower and of the upper lip that go the artist's way."""
    marks = head.rig.marks[head.identity]
    mouth = marks[landmarks.NAMES.index("mouth")]
    width = np.linalg.norm(
        marks[landmarks.NAMES.index("mouth_left")] - marks[landmarks.NAMES.index("mouth_right")]
    )
    near = np.linalg.norm(head.vertices - mouth, axis=1) < 0.75 * width
    lip = near & (head.rig.contact[head.index] > 0.5)
    lower, upper = [], []
    for name in slots.VISEMES:
        slot = slots.INDEX[name]
        if head.rig.slot_weight[slot] < 1:
            continue
        truth = head.truth[:, slot]
        size = np.linalg.norm(truth, axis=1)
        moving = lip & (size > 0.1 * size.max())
        right = (predicted[:, slot] * truth).sum(1) > 0
        for store, side in ((lower, truth[:, 2] < 0), (upper, truth[:, 2] > 0)):
            if (moving & side).any():
                store.append(float(right[moving & side].mean()))
    return lower, upper


def blink_figures(head: Head, predicted: np.ndarray) -> dict[str, list[float]]:
    """travel, gap and the artist's own gap."""
    slot = slots.INDEX["emotion_Blink"]
    pair = [slots.INDEX["eyeBlinkLeft"], slots.INDEX["eyeBlinkRight"]]
    if head.rig.slot_weight[slot] > 0:
        truth, ours = head.truth[:, slot], predicted[:, slot]
    else:
        truth, ours = head.truth[:, pair].sum(1), predicted[:, pair].sum(1)
    parts = contact.connected_parts(head.triangles, geometry.weld(head.vertices))
    columns = contact.lid_columns(head.vertices, truth, parts)
    if not columns:
        return {}
    rim = np.unique(np.concatenate([upper for upper, _ in columns]))
    travel = (ours[rim] * truth[rim]).sum() / (truth[rim] ** 2).sum()
    gaps = contact.lid_gaps(head.vertices, ours, columns).clip(0)
    own = contact.lid_gaps(head.vertices, truth, columns).clip(0)
    return {
        "travel": [float(travel)],
        "gap": [float(gaps.mean())],
        "largest": [float(gaps.max())],
        "own_gap": [float(own.mean())],
    }


def with_hair(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, normals) of the head and behind them as many points of a random haircut."""
    units = warps.FaceUnits.of(head.rig.marks[head.identity])
    rng = np.random.default_rng(head.identity)
    points, normals = warps.hair(rng, len(head.vertices))
    points = points / units.scale + units.origin
    return (
        np.concatenate([head.vertices, points]).astype(np.float32),
        np.concatenate([head.normals, normals]).astype(np.float32),
    )


def measure(
    heads: Iterable[Head], predict: Predict, normals: bool = True, hair: bool = False
) -> dict[str, float]:
    """Mean figures over heads; on the head's own vertices also where it wears hair."""
    figures: dict[str, list[float]] = {}
    for head in heads:
        vertices, given = with_hair(head) if hair else (head.vertices, head.normals)
        if not normals:
            given = np.zeros_like(given)
        predicted = predict(vertices, given)[: len(head.vertices)]
        for name, slot in slots.INDEX.items():
            if head.rig.slot_weight[slot] < 1 or not np.abs(head.truth[:, slot]).any():
                continue
            relative, cosine = compare(head.truth[:, slot], predicted[:, slot])
            figures.setdefault(f"rel_{slots.kind(name)}", []).append(relative)
            figures.setdefault(f"cos_{slots.kind(name)}", []).append(cosine)
        lower, upper = lips_right(head, predicted)
        figures.setdefault("lower", []).extend(lower)
        figures.setdefault("upper", []).extend(upper)
        for name, values in blink_figures(head, predicted).items():
            figures.setdefault(name, []).extend(values)
    return {name: float(np.mean(values)) for name, values in figures.items() if values}


HEADER = (
    "| heads | visemes rel / cos | units rel / cos | emotions rel / cos | lips lower / upper "
    "| blink travel | gap mean, largest / own |\n|---|---|---|---|---|---|---|"
)


def row(label: str, f: dict[str, float]) -> str:
    def number(name: str) -> str:
        return f"{f[name]:.2f}" if name in f else "-"

    def percent(name: str) -> str:
        return f"{100 * f[name]:.0f} %" if name in f else "-"

    cells = [f"{number('rel_' + k)} / {number('cos_' + k)}" for k in ("viseme", "unit", "emotion")]
    cells += [f"{percent('lower')} / {percent('upper')}", number("travel")]
    cells.append(f"{number('gap')}, {number('largest')} / {number('own_gap')}")
    return f"| {label} | " + " | ".join(cells) + " |"


def held_out_heads(rig: rigs.Rig, count: int, whole: bool = False) -> list[Head]:
    first = TRAIN_IDENTITIES[rig.name]
    last = min(rig.count, first + count)
    return [Head.of(rig, i, whole) for i in range(first, last)]


def cells(
    head: Head, field: np.ndarray, names: Iterable[str], known: Iterable[str], size: int
) -> list[tuple[str, np.ndarray]]:
    """Pictures of the head at rest and under each of `names`; blank ones for those not `known`."""
    marks = head.rig.marks[head.identity][head.rig.mark_weight > 0]
    center = marks.mean(0)
    extent = 5.2 * float(np.sqrt(((marks - center) ** 2).mean()))
    part = head.rig.part[head.index]
    known = set(known)
    shown = [("at rest", head.vertices)]
    for name in names:
        offsets = field[:, slots.INDEX[name]] if name in known else 0
        shown.append((name if name in known else "-", head.vertices + offsets))
    return [
        (name, picture.render(points, head.triangles, part, center, extent, size))
        for name, points in shown
    ]


def draw(head: Head, predict: Predict, path: pathlib.Path, size: int = 150) -> None:
    """A contact sheet: the artist's shapes above, the model's below."""
    predicted = predict(head.vertices, head.normals)
    own = [name for name, i in slots.INDEX.items() if head.rig.slot_weight[i] > 0]
    rows = [
        ("artist", cells(head, head.truth, SHEET_SLOTS, own, size)),
        ("model", cells(head, predicted, SHEET_SLOTS, slots.SLOTS, size)),
    ]
    picture.sheet(rows).save(path, optimize=True)


def overview(heads: list[Head], predict: Predict, path: pathlib.Path, size: int = 116) -> None:
    """The model card's picture: the model's shapes on several heads, a palette to keep it small."""
    rows = []
    for head in heads:
        predicted = predict(head.vertices, head.normals)
        rows.append((head.rig.name, cells(head, predicted, OVERVIEW_SLOTS, slots.SLOTS, size)))
    picture.sheet(rows).quantize(64).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=pathlib.Path, required=True, help="rigs of training.prepare"
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=16, help="identities per synthesised rig")
    parser.add_argument("--sheet", type=pathlib.Path, help="folder for contact sheets")
    parser.add_argument("--overview", type=pathlib.Path, help="file for one small picture")
    arguments = parser.parse_args()
    predict = open_model(arguments.model)
    loaded = {path.stem: rigs.load(path) for path in sorted(arguments.cache.glob("*.npz"))}
    human, ict = loaded["makehuman"], loaded["ict"]
    unseen = held_out_heads(human, arguments.count)
    print(HEADER)
    print(row("MakeHuman, unseen identities", measure(unseen, predict)))
    print(row("the same, normals withheld", measure(unseen, predict, normals=False)))
    print(row("the same, with hair", measure(unseen, predict, hair=True)))
    bodies = held_out_heads(human, arguments.count, whole=True)
    print(row("the same, whole bodies", measure(bodies, predict)))
    scans = held_out_heads(ict, arguments.count)
    print(row("ICT-FaceKit, unseen identities", measure(scans, predict)))
    avatars = [name for name in loaded if name not in ("makehuman", "ict")]
    for name in sorted(avatars, key=lambda n: (n not in HELD_OUT, n)):
        label = f"{name} ({'never seen' if name in HELD_OUT else 'trained on'})"
        print(row(label, measure([Head.of(loaded[name], 0)], predict)), flush=True)
    if arguments.sheet:
        arguments.sheet.mkdir(parents=True, exist_ok=True)
        for head in unseen[:3] + held_out_heads(ict, 1):
            draw(head, predict, arguments.sheet / f"{head.rig.name}_{head.identity}.png")
        for name in avatars:
            draw(Head.of(loaded[name], 0), predict, arguments.sheet / f"{name}.png")
    if arguments.overview:
        heads = unseen[:2] + held_out_heads(ict, 1)
        heads += [Head.of(loaded[name], 0) for name in OVERVIEW_AVATARS if name in loaded]
        overview(heads, predict, arguments.overview)


if __name__ == "__main__":
    main()
