# SPDX-License-Identifier: Apache-2.0
"""Trains the network: `python3 -m training.train --cache CACHE --run RUN --steps 9000`.

Writes RUN/checkpoint.pt (weights, their running average, optimiser, step) every few hundred steps
and goes on from it with --resume. Batch number i depends on the seed and i alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
import time

import numpy as np
import torch

from . import augment, landmarks, losses, network, rigs
from .split import HELD_OUT, SHARES, TRAIN_IDENTITIES

@dataclasses.dataclass
class Template:
    """The canonical frame, written by training.prepare."""

    marks: np.ndarray  # (L,3)
    mark_mirror: np.ndarray  # (L,)
    scale: float

    @staticmethod
    def read(cache: pathlib.Path) -> "Template":
        values = json.loads((cache / "template.json").read_text(encoding="utf-8"))
        return Template(
            np.array(values["marks"], np.float32),
            np.array(values["mark_mirror"]),
            float(values["scale"]),
        )


def load_rigs(cache: pathlib.Path) -> list[rigs.Rig]:
    """The rigs to train on, without what is held out."""
    loaded = []
    for path in sorted(cache.glob("*.npz")):
        if path.stem in HELD_OUT:
            continue
        rig = rigs.load(path)
        keep = TRAIN_IDENTITIES.get(rig.name)
        if keep:
            rig.identities, rig.normals = rig.identities[:keep], rig.normals[:keep]
            rig.marks = rig.marks[:keep]
        loaded.append(rig)
    return loaded


class Batches(torch.utils.data.Dataset):
    """Batch i, reproducible from the seed and i."""

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
        self.sampler = augment.Sampler(loaded, template.mark_mirror)
        heads = {rig.artist: 0 for rig in loaded}
        for rig in loaded:
            heads[rig.artist] += 1
        share = np.array([SHARES[rig.artist] / heads[rig.artist] for rig in loaded])
        self.share = share / share.sum()

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.first + index])
        count = int(rng.choice([512, 768, 1024, 2048], p=[0.4, 0.35, 0.2, 0.05]))
        samples = [
            self.sampler.draw(rng, self.rigs[rng.choice(len(self.rigs), p=self.share)], count)
            for _ in range(max(3, self.points // count))
        ]
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
    base = next(rig for rig in loaded if rig.name == "makehuman")
    chin = base.marks[:100, landmarks.NAMES.index("chin"), 2]
    boxed = []
    for points, marks, level in zip(base.identities, base.marks, chin):
        head = points[points[:, 2] > level - 0.05]
        low, high = head.min(0), head.max(0)
        boxed.append((marks - (low + high) / 2) / (np.linalg.norm(high - low) / 2))
    mean = torch.from_numpy(np.mean(boxed, axis=0)).float()
    return network.FaceNetwork(mean, region_weights(template.marks), slot_scales(base, template))


def rate(step: int, progress: float, highest: float) -> float:
    """Learning rate: 200 steps of warm-up, then a cosine down to a fiftieth at progress 1."""
    warm = min(1.0, (step + 1) / 200)
    return highest * warm * (0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1))) + 0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="rigs of training.prepare")
    parser.add_argument("--run", type=pathlib.Path, required=True, help="where checkpoints go")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument(
        "--minutes", type=float, help="stop (and slow down towards) this time, whatever the steps"
    )
    parser.add_argument("--marks-steps", type=int, default=700, help="first steps: landmarks only")
    parser.add_argument("--points", type=int, default=4608, help="points in a batch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches")
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.run.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.run / "checkpoint.pt"
    device = "cuda" if torch.cuda.is_available() else "cpu"

    template = Template.read(arguments.cache)
    loaded = load_rigs(arguments.cache)
    model = new_network(loaded, template).to(device)
    average = new_network(loaded, template).to(device)
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), lr=arguments.rate, betas=(0.9, 0.99))
    start, before = 0, 0.0
    if arguments.resume:
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        start, before = saved["step"], saved["seconds"]
    print(f"{sum(p.numel() for p in model.parameters())} parameters, from step {start}", flush=True)
    batches = torch.utils.data.DataLoader(
        Batches(loaded, template, arguments.seed, start, arguments.steps, arguments.points),
        batch_size=None,
        num_workers=arguments.workers,
    )
    weights, importance = losses.Weights(), losses.slot_importance().to(device)
    shown: dict[str, float] = {}
    began = waited = time.monotonic()
    waiting = 0.0

    def spent() -> float:
        return before + time.monotonic() - began

    def progress(step: int) -> float:
        done = step / arguments.steps
        return max(done, spent() / 60 / arguments.minutes) if arguments.minutes else done

    def save(step: int) -> None:
        torch.save(
            {
                "model": model.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "seconds": spent(),
            },
            checkpoint,
        )

    for step, batch in enumerate(batches, start):
        waiting += time.monotonic() - waited
        batch = {name: value.to(device) for name, value in batch.items()}
        for group in optimizer.param_groups:
            group["lr"] = rate(step, progress(step), arguments.rate)
        marks_only = step < arguments.marks_steps
        encoding = model.encode(batch["points"], batch["normals"], marks_only)
        loss, spread, report = losses.landmark_loss(encoding, batch, weights)
        if not marks_only:
            motion, more = losses.motion_loss(
                model.raw_offsets(encoding),
                encoding,
                batch,
                spread,
                model.slot_scale,
                importance,
                weights,
            )
            loss, report = loss + motion, report | more
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        decay = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for kept, current in zip(average.parameters(), model.parameters()):
                kept.lerp_(current, 1 - decay)
        for name, value in report.items():
            shown[name] = shown.get(name, value) * 0.98 + value * 0.02
        if (step + 1) % 100 == 0:
            values = " ".join(f"{name} {value:.4f}" for name, value in shown.items())
            print(f"{step + 1} {spent():.0f}s (waited {waiting:.0f}s) {values}", flush=True)
        if (step + 1) % 250 == 0:
            save(step + 1)
        waited = time.monotonic()
        if progress(step + 1) >= 1:
            break
    save(step + 1)


if __name__ == "__main__":
    main()
