# SPDX-License-Identifier: Apache-2.0
"""Batches for training, and what the network needs to know about the data before it starts."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import torch

from . import augment, landmarks, network, rigs
from .split import SHARES

# Points per sample and how often: few points make a coarse avatar, many a fine one
_POINTS = (512, 768, 1024, 2048)
_POINTS_SHARE = (0.4, 0.35, 0.2, 0.05)


@dataclasses.dataclass
class Template:
    """The canonical frame, written by training.prepare."""

    marks: np.ndarray  # (L,3)
    mark_mirror: np.ndarray  # (L,)
    scale: float  # metres of MakeHuman's base face in one canonical unit

    @staticmethod
    def read(cache: pathlib.Path) -> Template:
        values = json.loads((cache / "template.json").read_text(encoding="utf-8"))
        return Template(
            np.array(values["marks"], np.float32),
            np.array(values["mark_mirror"]),
            float(values["scale"]),
        )


class Batches(torch.utils.data.Dataset):
    """Batches `first` to `last`; each depends on the seed and its own number alone.

    The second half of a batch is the first half in a mirror.
    """

    def __init__(
        self,
        loaded: list[rigs.Rig],
        template: Template,
        seed: int,
        first: int,
        last: int,
        points: int,
    ) -> None:
        self.rigs, self.seed, self.first, self.last = loaded, seed, first, last
        self.points = points
        self.mark_mirror = template.mark_mirror
        self.sampler = augment.Sampler(loaded, template.mark_mirror)
        artists = [rig.artist for rig in loaded]
        share = np.array([SHARES[artist] / artists.count(artist) for artist in artists])
        self.share = share / share.sum()

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.first + index])
        count = int(rng.choice(_POINTS, p=_POINTS_SHARE))
        samples = [
            self.sampler.draw(rng, self.rigs[rng.choice(len(self.rigs), p=self.share)], count)
            for _ in range(max(2, self.points // count // 2))
        ]
        samples += [augment.mirrored(sample, self.mark_mirror) for sample in samples]
        return {
            field.name: torch.from_numpy(
                np.stack([getattr(s, field.name) for s in samples]).astype(np.float32)
            )
            for field in dataclasses.fields(augment.Sample)
        }


def slot_scales(rig: rigs.Rig, template: Template) -> torch.Tensor:
    """(K,) root mean square displacement of the moving vertices of MakeHuman's base, canonical."""
    squares = (rig.offsets**2).sum(0) / template.scale**2
    moving = squares > 0.05 * squares.max(0)
    return torch.from_numpy(np.sqrt((squares * moving).sum(0) / moving.sum(0))).float()


def region_weights(marks: np.ndarray) -> torch.Tensor:
    """(REGIONS,L) softly the landmarks around eyes, nose and mouth."""

    def at(*names: str) -> np.ndarray:
        return marks[[landmarks.NAMES.index(name) for name in names]].mean(0)

    centers = [
        at("eye_left_upper", "eye_left_lower"),
        at("eye_right_upper", "eye_right_lower"),
        at("nose"),
        at("mouth"),
    ]
    rows = np.stack([np.exp(-((marks - c) ** 2).sum(1) / 0.18) for c in centers])
    return torch.from_numpy(rows / rows.sum(1, keepdims=True)).float()


def new_network(loaded: list[rigs.Rig], template: Template) -> network.FaceNetwork:
    """An untrained network whose first guess of the landmarks is the mean of MakeHuman heads."""
    base = next(rig for rig in loaded if rig.name == "makehuman")
    chin = base.marks[:100, landmarks.NAMES.index("chin"), 2]
    boxed = []
    for points, marks, level in zip(base.identities, base.marks, chin):
        head = points[points[:, 2] > level - 0.05]
        low, high = head.min(0), head.max(0)
        boxed.append((marks - (low + high) / 2) / (np.linalg.norm(high - low) / 2))
    mean = torch.from_numpy(np.mean(boxed, axis=0)).float()
    return network.FaceNetwork(mean, region_weights(template.marks), slot_scales(base, template))
