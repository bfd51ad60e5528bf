# SPDX-License-Identifier: Apache-2.0
"""Contact sheets of a model: whole faces, eyes and mouths, the artist's row above ours."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from . import picture, predictors, slots
from .measures import Head

# With the head at rest, which is the silent viseme, full rows.
_FACE = [*slots.VISEMES, *slots.EMOTIONS, "jawOpen", "mouthSmileLeft", "browInnerUp"]
_EYES = (
    "emotion_Blink eyeBlinkLeft emotion_Joy emotion_Fun emotion_Angry emotion_Sorrow "
    "emotion_Surprised eyeSquintLeft eyeWideLeft browDownLeft browInnerUp browOuterUpLeft "
    "eyeLookDownLeft eyeLookUpLeft eyeLookInLeft"
).split()
_MOUTH = [
    *slots.VISEMES,
    *"mouthFunnel mouthPucker mouthClose mouthSmileLeft mouthFrownLeft mouthPressLeft".split(),
    *"mouthRollLower mouthUpperUpLeft jawLeft".split(),
]
_OVERVIEW = (
    "viseme_aa viseme_oh viseme_ou viseme_E viseme_FF emotion_Joy emotion_Angry emotion_Surprised "
    "emotion_Blink"
).split()
_COLUMNS = 8
_OVERVIEW_HEADS = {
    "makehuman": 2, "ict": 1, "valid_white_m_2": 1, "seedsan": 1, "gene": 1, "unitykun": 1
}  # fmt: skip


def _views(head: Head) -> dict[str, tuple[np.ndarray, float, Sequence[str]]]:
    """name -> (centre, extent in metres, expressions)."""
    marks = head.rig.marks[head.identity][head.rig.mark_weight > 0]
    center = marks.mean(0)
    extent = 5.2 * float(np.sqrt(((marks - center) ** 2).mean()))
    eyes = (head.mark("eye_left_lower") + head.mark("eye_right_lower")) / 2
    eyes = (eyes + (head.mark("eye_left_upper") + head.mark("eye_right_upper")) / 2) / 2
    mouth = head.mark("mouth")
    width = float(np.linalg.norm(head.mark("mouth_left") - head.mark("mouth_right")))
    return {
        "face": (center, extent, _FACE),
        "eyes": (eyes, 2.3 * head.span, _EYES),
        "mouth": (mouth, max(2.4 * width, 0.8 * head.span), _MOUTH),
    }


def _cells(
    head: Head,
    field: np.ndarray,
    view: tuple[np.ndarray, float, Sequence[str]],
    known: Iterable[str],
    size: int,
) -> list[tuple[str, np.ndarray]]:
    """The head at rest and under each expression; dashes for those that are not `known`."""
    center, extent, names = view
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


def draw(head: Head, predict: predictors.Predictor, folder: pathlib.Path, size: int = 190) -> None:
    """FOLDER/HEAD-face.png, -eyes.png and -mouth.png; the artist's shapes above, ours below."""
    predicted = predict(head.vertices, head.normals, head.triangles)
    own = [name for name, i in slots.INDEX.items() if head.rig.slot_weight[i] > 0]
    label = head.rig.name if head.rig.count == 1 else f"{head.rig.name}_{head.identity}"
    for name, view in _views(head).items():
        artist = _cells(head, head.truth, view, own, size)
        model = _cells(head, predicted, view, slots.SLOTS, size)
        rows = []
        for first in range(0, len(model), _COLUMNS):
            chosen = slice(first, first + _COLUMNS)
            rows += [("artist", artist[chosen]), ("model", model[chosen])]
        picture.sheet(rows).quantize(64).save(folder / f"{label}-{name}.png", optimize=True)


def overview(
    heads: Sequence[Head], predict: predictors.Predictor, path: pathlib.Path, size: int = 116
) -> None:
    """The model card's picture: our shapes on several heads, with a palette to keep it small."""
    rows = []
    for rig, count in _OVERVIEW_HEADS.items():
        for head in [h for h in heads if h.rig.name == rig][:count]:
            predicted = predict(head.vertices, head.normals, head.triangles)
            center, extent, _ = _views(head)["face"]
            view = (center, extent, _OVERVIEW)
            rows.append((rig, _cells(head, predicted, view, slots.SLOTS, size)))
    picture.sheet(rows).quantize(64).save(path, optimize=True)
