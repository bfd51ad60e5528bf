# SPDX-License-Identifier: Apache-2.0
"""What a prediction is worth on one head, against the artist's own shapes."""

from __future__ import annotations

import dataclasses

import numpy as np

from . import contact, geometry, landmarks, margins, rigs, slots

VOWELS = ["viseme_" + v for v in ("aa", "E", "ih", "oh", "ou")]
FOLD_SLOTS = ("emotion_Blink", "emotion_Joy", "viseme_aa")
OPENINGS = ("viseme_aa", "viseme_oh", "viseme_ou")
_STILL = 0.004  # activity below which the artist moves a vertex in no expression
_TURN = 60.0  # degrees
_STRETCH = 4.0
_PART_MOTION = 0.02  # in eye distances: expressions under it say nothing about strength


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

    def mark(self, name: str) -> np.ndarray:
        return self.rig.marks[self.identity][landmarks.NAMES.index(name)]

    @property
    def span(self) -> float:
        return float(np.linalg.norm(self.mark("eye_left_lower") - self.mark("eye_right_lower")))

    def rim(self, name: str) -> np.ndarray:
        """Numbers of the vertices that are surely on a margin."""
        return np.nonzero(self.rig.margins[self.index, margins.NAMES.index(name)] > 0.9)[0]

    def known(self) -> list[str]:
        """The expressions that the artist made."""
        return [
            name
            for name, i in slots.INDEX.items()
            if self.rig.slot_weight[i] >= 1 and np.abs(self.truth[:, i]).max() > 1e-3 * self.span
        ]


def fields(head: Head, predicted: np.ndarray) -> dict[str, dict[str, float]]:
    """slot -> cosine, relative L2 and strength (length ratio) over all vertices."""
    result = {}
    for name in head.known():
        truth = head.truth[:, slots.INDEX[name]].astype(np.float64)
        ours = predicted[:, slots.INDEX[name]].astype(np.float64)
        size, reach = np.linalg.norm(truth), np.linalg.norm(ours)
        result[name] = {
            "cos": float((truth * ours).sum() / max(size * reach, 1e-12)),
            "rel": float(np.linalg.norm(ours - truth) / size),
            "strength": float(reach / size),
        }
    return result


def _blink(head: Head, field: np.ndarray) -> np.ndarray:
    if head.rig.slot_weight[slots.INDEX["emotion_Blink"]] > 0:
        return field[:, slots.INDEX["emotion_Blink"]].astype(np.float64)
    pair = [slots.INDEX["eyeBlinkLeft"], slots.INDEX["eyeBlinkRight"]]
    return field[:, pair].sum(1).astype(np.float64)


def blink(head: Head, predicted: np.ndarray) -> dict[str, float]:
    """How far the upper rim goes along the artist's way; the opening left in nine columns of each
    eye, as a part of the column's height at rest (below 0: past the lower rim)."""
    truth, ours = _blink(head, head.truth), _blink(head, predicted)
    parts = contact.connected_parts(head.triangles, geometry.weld(head.vertices))
    columns = contact.lid_columns(head.vertices, truth, parts)
    if not columns:
        return {}
    rim = np.unique(np.concatenate([upper for upper, _ in columns]))
    gaps = contact.lid_gaps(head.vertices, ours, columns)
    own = contact.lid_gaps(head.vertices, truth, columns)
    return {
        "travel": float((ours[rim] * truth[rim]).sum() / (truth[rim] ** 2).sum()),
        "gap": float(gaps.mean()),
        "gap_least": float(gaps.min()),
        "gap_largest": float(gaps.max()),
        "gap_artist": float(own.mean()),
        "gap_artist_largest": float(own.max()),
        "blink_rel": float(np.linalg.norm(ours - truth) / np.linalg.norm(truth)),
    }


def mouth(head: Head, predicted: np.ndarray) -> dict[str, float]:
    """Opening of vowels against the artist's; how far PP leaves the lips apart beyond the artist's,
    in mouth widths."""
    width = float(np.linalg.norm(head.mark("mouth_left") - head.mark("mouth_right")))
    middle = head.mark("mouth")[0]
    inner = np.abs(head.vertices[:, 0] - middle) < 0.3 * width
    upper, lower = (i[inner[i]] for i in (head.rim("upper_lip"), head.rim("lower_lip")))
    if not len(upper) or not len(lower):
        return {}

    def opening(field: np.ndarray, name: str) -> float:
        rise = field[:, slots.INDEX[name], 2]
        return float(rise[upper].mean() - rise[lower].mean())

    known = head.known()
    result = {}
    for name in OPENINGS:
        own = opening(head.truth, name)
        if name in known and own > 0.02 * width:
            result["open_" + name[7:]] = opening(predicted, name) / own
    if "viseme_PP" in known:
        excess = opening(predicted, "viseme_PP") - opening(head.truth, "viseme_PP")
        result["pp_gap"] = excess / width
    return result


def vowels(head: Head, predicted: np.ndarray) -> dict[str, float]:
    """Mean cosine between the vowels, ours and the artist's."""
    chosen = [slots.INDEX[v] for v in VOWELS if v in head.known()]
    if len(chosen) < 3:
        return {}

    def alike(field: np.ndarray) -> float:
        rows = np.moveaxis(field[:, chosen], 1, 0).reshape(len(chosen), -1).astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12
        count = len(chosen)
        return float(((rows @ rows.T).sum() - count) / (count * (count - 1)))

    return {"vowels": alike(predicted), "vowels_artist": alike(head.truth)}


def spill(head: Head, predicted: np.ndarray) -> float:
    """Share of all motion that lies on vertices which the artist moves in no expression."""
    still = head.rig.activity[head.index] < _STILL
    chosen = [slots.INDEX[name] for name in head.known()]
    size = np.linalg.norm(predicted[:, chosen], axis=2)
    return float((size[still].sum(0) / np.maximum(size.sum(0), 1e-12)).mean())


def _angles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,3) degrees at the corners."""
    corners = points[triangles]
    result = []
    for k in range(3):
        a = corners[:, (k + 1) % 3] - corners[:, k]
        b = corners[:, (k + 2) % 3] - corners[:, k]
        size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        result.append(np.arccos(np.clip((a * b).sum(1) / np.maximum(size, 1e-20), -1, 1)))
    return np.degrees(np.stack(result, 1))


def _facing(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = points[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)


def folded(rest: np.ndarray, moved: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) bool: turned over (by more than 90 degrees) or sheared (a corner changed by over 60)."""
    turned = (_facing(rest, triangles) * _facing(moved, triangles)).sum(1) < 0
    return turned | (np.abs(_angles(moved, triangles) - _angles(rest, triangles)).max(1) > _TURN)


def folds(head: Head, predicted: np.ndarray) -> dict[str, float]:
    """Triangles folded or sheared by us and not by the artist, per expression, and the artist's."""
    result = {}
    rest = head.vertices.astype(np.float64)
    for name in FOLD_SLOTS:
        if name not in head.known():
            continue
        slot = slots.INDEX[name]
        own = folded(rest, rest + head.truth[:, slot], head.triangles)
        ours = folded(rest, rest + predicted[:, slot], head.triangles)
        short = name.split("_")[1]
        result["folds_" + short] = int((ours & ~own).sum())
        result["folds_artist_" + short] = int(own.sum())
    return result


def stretched(head: Head, predicted: np.ndarray) -> dict[str, float]:
    """Edges more than four times as long as at rest in any viseme or emotion, ours and the
    artist's; edges at rest shorter than a thousandth of the eye distance do not count."""
    triangles = head.triangles
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), 1),
        axis=0,
    )
    rest = head.vertices.astype(np.float64)

    def lengths(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)

    base = lengths(rest)
    edges, base = edges[base > 1e-3 * head.span], base[base > 1e-3 * head.span]
    names = [n for n in slots.VISEMES + slots.EMOTIONS]
    known = set(head.known())
    ours = [(lengths(rest + predicted[:, slots.INDEX[n]]) / base > _STRETCH).sum() for n in names]
    own = [
        (lengths(rest + head.truth[:, slots.INDEX[n]]) / base > _STRETCH).sum()
        for n in names
        if n in known
    ]
    return {"stretched": int(max(ours)), "stretched_artist": int(max(own, default=0))}


def all_figures(head: Head, predicted: np.ndarray) -> dict:
    """Everything measured on one head; `fields` per expression, the others by name."""
    result = {"fields": fields(head, predicted), "spill": spill(head, predicted)}
    for part in (blink, mouth, vowels, folds, stretched):
        result.update(part(head, predicted))
    return result


def mean_cosine(head: Head, predicted: np.ndarray, among: str = "") -> float:
    """Over the expressions of a kind ("viseme", "unit", "emotion") or all."""
    figures = fields(head, predicted)
    chosen = [f["cos"] for name, f in figures.items() if among in ("", slots.kind(name))]
    return float(np.mean(chosen)) if chosen else float("nan")
