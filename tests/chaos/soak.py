# SPDX-License-Identifier: Apache-2.0
"""Soak: one server, clients that never stop, models that come and go, and a look at the server's
memory, descriptors and threads every second.

    soak.py --bin build/release/bin --minutes 30 [--clients 6] [--seed 1] [--out out/soak]

Fails if a call ends wrong, late or not at all, if resident memory grows by more than 1 MB for 100,000
predictions after the warm-up (the first 100,000), or if descriptors or threads grow. Writes soak.csv,
soak.png and soak.json.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "python")]

LIMIT_MB = 1.0  # for 100,000 predictions
WARM_UP = 100_000  # predictions, until caches and the allocator have what they keep
SLACK = 3  # descriptors, threads: a connection or a worker more at the moment of a sample


@dataclasses.dataclass(frozen=True)
class Sample:
    """The server at one moment."""

    seconds: float
    predictions: int
    resident_mb: float
    descriptors: int
    threads: int


def look_at(pid: int, seconds: float, predictions: int) -> Sample:
    """As the system counts it."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return Sample(
        seconds,
        predictions,
        int(fields["VmRSS"].split()[0]) * 1024 / 1e6,
        len(os.listdir(f"/proc/{pid}/fd")),
        int(fields["Threads"]),
    )


def slope_mb(samples: list[Sample]) -> float:
    """MB of resident memory for 100,000 predictions: the least squares line."""
    x = [s.predictions / 1e5 for s in samples]
    y = [s.resident_mb for s in samples]
    return statistics.linear_regression(x, y).slope


def growth(values: list[int]) -> float:
    """The median of the last quarter minus that of the first."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) - statistics.median(values[:quarter])


def judge(samples: list[Sample]) -> tuple[dict[str, Any], list[str]]:
    """The figures, and what is wrong with them."""
    settled = [s for s in samples if s.predictions >= WARM_UP]
    if samples[-1].predictions < 2 * WARM_UP:
        return {}, [f"{samples[-1].predictions} predictions are too few to judge by"]
    figures = {
        "memory, MB for 100,000 predictions": round(slope_mb(settled), 3),
        "resident memory, MB, least and most": [
            round(pick(s.resident_mb for s in settled), 1) for pick in (min, max)
        ],
        "descriptors, growth": growth([s.descriptors for s in settled]),
        "threads, growth": growth([s.threads for s in settled]),
    }
    complaints = []
    if figures["memory, MB for 100,000 predictions"] > LIMIT_MB:
        complaints.append(f"memory grows by more than {LIMIT_MB} MB for 100,000 predictions")
    for what in ("descriptors", "threads"):
        if figures[f"{what}, growth"] > SLACK:
            complaints.append(f"{what} grow")
    return figures, complaints


class Soak:
    """One run."""

    def __init__(self, clients: int, seed: int, folder: pathlib.Path) -> None:
        from harness import onnx_models
        from harness.server import Server

        self._models = folder
        onnx_models.everyday(folder / "everyday.onnx")
        onnx_models.everyday(folder / "other.onnx", version="other", seed=2)
        onnx_models.slow(folder / "slow.onnx")
        self._server = Server(
            "--model", folder / "everyday.onnx", "--model-root", folder, "--log-level", "ERROR"
        )
        self._server.load("slow.onnx", "slow")
        self._clients = [
            subprocess.Popen(
                [
                    sys.executable, str(HERE / "client.py"), "--address", self._server.address,
                    "--caller", ("package", "grpc")[number % 2], "--seed", f"{seed}/{number}",
                    "--model", str(folder / "everyday.onnx"),
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for number in range(clients)
        ]  # fmt: skip
        for client in self._clients:
            assert client.stdout is not None
            os.set_blocking(client.stdout.fileno(), False)
        self._texts = [b""] * clients
        self._reports: list[dict[str, Any]] = [{"counts": {}} for _ in range(clients)]
        self.reloads = 0

    def run(self, minutes: float) -> list[Sample]:
        samples: list[Sample] = []
        began = time.monotonic()
        while (now := time.monotonic() - began) < minutes * 60:
            self._read()
            samples.append(look_at(self._server.pid, now, self.count("predictions")))
            if len(samples) % 5 == 0:
                self._server.load("other.onnx", "other")
                self._server.load("everyday.onnx")  # in place of the one that is in use
                self._server.unload("other")
                self.reloads += 1
            time.sleep(max(0.0, len(samples) - (time.monotonic() - began)))
        return samples

    def end(self) -> list[str]:
        """Lets the clients finish; what they complain about."""
        complaints = []
        for client in self._clients:
            assert client.stdin is not None
            client.stdin.close()
        for client in self._clients:
            if client.wait(60) != 0:
                complaints.append(f"a client ended with {client.returncode}")
        self._read()
        complaints += [text for report in self._reports for text in report["complaints"]]
        try:
            self._server.stop()
        except AssertionError as failure:
            complaints.append(str(failure))
        return complaints

    def count(self, what: str) -> int:
        return sum(report["counts"].get(what, 0) for report in self._reports)

    def _read(self) -> None:
        for i, client in enumerate(self._clients):
            assert client.stdout is not None
            self._texts[i] += client.stdout.read() or b""
            *lines, self._texts[i] = self._texts[i].split(b"\n")
            if lines:
                self._reports[i] = json.loads(lines[-1])


def write(out: pathlib.Path, samples: list[Sample], report: dict[str, Any]) -> None:
    from plot import draw

    out.mkdir(parents=True, exist_ok=True)
    (out / "soak.json").write_text(json.dumps(report, indent=2) + "\n")
    with (out / "soak.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, [field.name for field in dataclasses.fields(Sample)])
        rows.writeheader()
        rows.writerows(dataclasses.asdict(sample) for sample in samples)
    minutes = [s.seconds / 60 for s in samples]
    draw(
        out / "soak.png",
        minutes,
        {
            "resident memory, MB": [s.resident_mb for s in samples],
            "descriptors": [float(s.descriptors) for s in samples],
            "threads": [float(s.threads) for s in samples],
            "predictions, thousands": [s.predictions / 1000 for s in samples],
        },
        "minutes",
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the built server")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/soak"))
    arguments = parser.parse_args()
    folder = arguments.bin.resolve()
    os.environ["BLENDWIRE_BIN"] = str(folder)
    os.environ.setdefault(
        "BLENDWIRE_CLIENT_LIBRARY", str(folder.parent / "lib/libblendwire_client.so.1")
    )
    with tempfile.TemporaryDirectory(prefix="blendwire-soak-") as work:
        soak = Soak(arguments.clients, arguments.seed, pathlib.Path(work))
        samples = soak.run(arguments.minutes)
        complaints = soak.end()
    figures, grown = judge(samples)
    report = {
        "minutes": arguments.minutes,
        **{what: soak.count(what) for what in ("calls", "predictions", "right", "wrong", "lost", "late")},
        "models loaded and unloaded": soak.reloads,
        **figures,
        "complaints": complaints + grown,
    }
    write(arguments.out, samples, report)
    print(json.dumps(report, indent=2))
    return 1 if report["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
