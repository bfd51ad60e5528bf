# SPDX-License-Identifier: Apache-2.0
"""A rig: one mesh with one or more identities and the expressions that an artist gave it.

A rig stands on disk as one .npz, written by `training.prepare` and read by `load`.
"""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from . import slots


@dataclasses.dataclass
class Rig:
    """Everything in metres and Blendwire's axes. N vertices, I identities, K slots."""

    name: str
    artist: str  # rigs of one artist share one training weight
    style: str  # "human" or "anime"
    identities: np.ndarray  # (I,N,3) float32
    normals: np.ndarray  # (I,N,3) float16
    triangles: np.ndarray  # (M,3)
    offsets: np.ndarray  # (3,N,K) float32, of the base or of the only identity
    slot_weight: np.ndarray  # (K,) 1 the artist's own, 0 missing, between: by recipe
    part: np.ndarray  # (N,) index into part_names
    part_names: list[str]
    canonical: np.ndarray  # (N,3) the same place on MakeHuman's base face, normalised
    contact: np.ndarray  # (N,) 0..1, see contact.py
    margins: np.ndarray  # (N,4) 0..1, see margins.py
    activity: np.ndarray  # (N,) 0..1, the largest share that a vertex has in any expression
    marks: np.ndarray  # (I,L,3) landmarks
    mark_weight: np.ndarray  # (L,) 0 where the landmark is unknown
    # MakeHuman only: its base (N,3), matrices (I,A,3,3) for the vertices `carried` (A,), and its
    # own blink per identity (I,B,3) for the vertices `lids` (B,)
    base_vertices: np.ndarray | None = None
    carried: np.ndarray | None = None
    matrices: np.ndarray | None = None
    lids: np.ndarray | None = None
    blinks: np.ndarray | None = None
    # Given by averages.attach: offsets (2,3,N,K) and weight (2,K), human and anime
    averages: np.ndarray | None = None
    average_weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = self.identities.shape[1]
        if self.carried is not None:
            self._carried_row = np.full(count, -1)
            self._carried_row[self.carried] = np.arange(len(self.carried))
            self._lid_row = np.full(count, -1)
            self._lid_row[self.lids] = np.arange(len(self.lids))

    @property
    def count(self) -> int:
        return len(self.identities)

    def base(self) -> np.ndarray:
        """(N,3): the face that `offsets` belong to."""
        return self.identities[0] if self.base_vertices is None else self.base_vertices

    def offsets_of(
        self, identity: int, index: np.ndarray, convention: int | None = None
    ) -> np.ndarray:
        """(3,n,K) float32: offsets of the vertices `index` of one identity, the artist's own or, by
        `convention`, an average (see averages.py)."""
        if convention is None:
            base = self.offsets[:, index]
        else:
            base = self.averages[convention][:, index].astype(np.float32)
        if self.matrices is None:
            return base
        out = np.zeros_like(base)
        row = self._carried_row[index]
        moving = np.nonzero(row >= 0)[0]
        matrix = self.matrices[identity, row[moving]]
        for a in range(3):
            out[a, moving] = sum(matrix[:, a, b, None] * base[b, moving] for b in range(3))
        self._insert_blinks(out, base, identity, index)
        return out

    def _insert_blinks(
        self, out: np.ndarray, base: np.ndarray, identity: int, index: np.ndarray
    ) -> None:
        left, right, both = (
            slots.INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight", "emotion_Blink")
        )
        row = self._lid_row[index]
        lid = np.nonzero(row >= 0)[0]
        blink = self.blinks[identity, row[lid]].T  # 3,n
        # a vertex near the nose may belong to both sides: share by the base mesh's magnitudes
        sizes = np.linalg.norm(base[:, lid][:, :, [left, right]], axis=0)
        share = sizes / (sizes.sum(1, keepdims=True) + 1e-12)
        out[:, lid, left] = blink * share[:, 0]
        out[:, lid, right] = blink * share[:, 1]
        out[:, lid, both] = blink

    def all_offsets(self, identity: int) -> np.ndarray:
        """(N,K,3): what the artist (or the carried base) does to every vertex."""
        every = np.arange(self.identities.shape[1])
        return np.moveaxis(self.offsets_of(identity, every), 0, 2)


def save(rig: Rig, path: pathlib.Path) -> None:
    fields = dataclasses.asdict(rig)
    np.savez(path, **{k: v for k, v in fields.items() if v is not None})


def load(path: pathlib.Path) -> Rig:
    with np.load(path) as file:
        values = {name: file[name] for name in file.files}
    for name in ("name", "artist", "style"):
        values[name] = str(values[name])
    values["part_names"] = [str(x) for x in values["part_names"]]
    return Rig(**values)
