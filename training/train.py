# SPDX-License-Identifier: Apache-2.0
"""Trains the network: `python3 -m training.train --cache CACHE --run RUN --steps 16000`.

Writes RUN/checkpoint.pt (weights, their running average, optimiser, step) every few hundred steps
and goes on from it with --resume.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import time

import torch

from . import averages, batches, losses, network, published, split

_WARM_STEPS = 200
_SAVE_EVERY = 250
_SHOW_EVERY = 100
_AVERAGE_DECAY = 0.998


def rate(step: int, progress: float, highest: float) -> float:
    """Learning rate: a warm-up, then a cosine down to a fiftieth at progress 1."""
    warm = min(1.0, (step + 1) / _WARM_STEPS)
    return highest * warm * (0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1))) + 0.02)


class Trainer:
    """The network, its running average, the optimiser, and where they stand."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.checkpoint = arguments.run / "checkpoint.pt"
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.template = batches.Template.read(arguments.cache)
        self.rigs = split.load_rigs(arguments.cache, arguments.leave)
        averages.attach(self.rigs, arguments.run / "averages.npz")
        self.model = batches.new_network(self.rigs, self.template).to(self.device)
        self.average = batches.new_network(self.rigs, self.template).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=arguments.rate, betas=(0.9, 0.99)
        )
        self.weights = losses.Weights()
        self.importance = losses.slot_importance().to(self.device)
        self.step, self._seconds_before, self._began = 0, 0.0, time.monotonic()
        self.shown: dict[str, float] = {}

    def resume(self) -> None:
        saved = torch.load(self.checkpoint, map_location=self.device)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self._seconds_before = saved["step"], saved["seconds"]

    def start_from(self, path: pathlib.Path) -> None:
        """Takes the averaged weights of another run, or those of an exported model; what these lack
        keeps its first value."""
        if path.suffix == ".onnx":
            weights = published.weights_of(path)
        else:
            weights = torch.load(path, map_location=self.device)["average"]
        for each in (self.model, self.average):
            each.load_state_dict(weights, strict=False)

    def save(self) -> None:
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds(),
            },
            self.checkpoint,
        )

    def seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._began

    def progress(self) -> float:
        done = self.step / self.arguments.steps
        if self.arguments.minutes:
            done = max(done, self.seconds() / 60 / self.arguments.minutes)
        return done

    def loss(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        marks_only = self.step < self.arguments.marks_steps
        jolt = network.jolts(len(batch["points"])).to(self.device)
        encoding = self.model.encode(batch["points"], batch["normals"], marks_only, jolt)
        loss, spread, report = losses.landmark_loss(encoding, batch, self.weights)
        if marks_only:
            return loss, report
        motion, more = losses.motion_loss(
            self.model.raw_offsets(encoding),
            encoding,
            batch,
            spread,
            self.model.slot_scale,
            self.importance,
            self.weights,
        )
        rims, last = losses.margin_loss(self.model.margin_logits(encoding.features), batch)
        return loss + motion + self.weights.margins * rims, report | more | last

    def learn(self, batch: dict[str, torch.Tensor]) -> None:
        """One step."""
        batch = {name: value.to(self.device) for name, value in batch.items()}
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.step, self.progress(), self.arguments.rate)
        loss, report = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        decay = min(_AVERAGE_DECAY, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for kept, current in zip(self.average.parameters(), self.model.parameters()):
                kept.lerp_(current, 1 - decay)
        for name, value in report.items():
            self.shown[name] = self.shown.get(name, value) * 0.98 + value * 0.02
        self.step += 1

    def run(self) -> None:
        source = batches.Batches(
            self.rigs,
            self.template,
            self.arguments.seed,
            self.step,
            self.arguments.steps,
            self.arguments.points,
        )
        loader = torch.utils.data.DataLoader(
            source, batch_size=None, num_workers=self.arguments.workers
        )
        for batch in loader:
            self.learn(batch)
            if self.step % _SHOW_EVERY == 0:
                values = " ".join(f"{name} {value:.4f}" for name, value in self.shown.items())
                print(f"{self.step} {self.seconds():.0f}s {values}", flush=True)
            if self.step % _SAVE_EVERY == 0:
                self.save()
            if self.progress() >= 1:
                break
        self.save()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--cache", type=pathlib.Path, required=True, help="rigs of training.prepare")
    add("--run", type=pathlib.Path, required=True, help="where checkpoints go")
    add("--steps", type=int, default=16000)
    add("--minutes", type=float, help="end, and slow down towards, this time instead")
    add("--marks-steps", type=int, default=600, help="first steps, on landmarks only")
    add("--points", type=int, default=4608, help="points in a batch")
    add("--rate", type=float, default=2e-3, help="highest learning rate")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=1)
    add("--workers", type=int, default=1, help="processes that make batches")
    add("--resume", action="store_true")
    add("--start", type=pathlib.Path, help="a checkpoint, or an exported model (.onnx), to take the first weights from")
    add(
        "--leave",
        nargs="*",
        default=[],
        choices=list(split.SHARES),
        metavar="ARTIST",
        help="artists to leave out, to be tested on them: " + ", ".join(split.SHARES),
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(arguments)
    if arguments.resume:
        trainer.resume()
    elif arguments.start:
        trainer.start_from(arguments.start)
    if trainer.step >= arguments.steps:
        raise SystemExit(
            f"--steps is {arguments.steps}, but {arguments.run} is at step {trainer.step} already"
        )
    count = sum(p.numel() for p in trainer.model.parameters())
    print(f"{count} parameters, from step {trainer.step}", flush=True)
    trainer.run()


if __name__ == "__main__":
    main()
