# SPDX-License-Identifier: Apache-2.0
"""A short chaos run with a fixed seed, and the judge judged: it must see what it is there to see."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest
from frames import HEADER_BYTES, PREFACE_BYTES, FrameTracker
from oracle import Oracle
from workload import Call, Failure, Judge, Workload

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture
def workload(models: pathlib.Path) -> Workload:
    return Workload("test", Oracle(models / "everyday.onnx"))


def next_of(workload: Workload, form: str) -> Call:
    return next(call for call in iter(workload.next_call, None) if call.form == form)


def right_answer(call: Call) -> list[np.ndarray | Failure]:
    return [Failure(item.code, "") if item.expected is None else item.expected for item in call.items]


def judged(call: Call, answer: object, seconds: float = 0.1, **kind: bool) -> Judge:
    flags = {"managed": False, "damaged": False, "bare": False}
    judge = Judge(**{**flags, **kind})
    judge.ended(call, answer, seconds)  # type: ignore[arg-type]
    return judge


def test_judge_takes_right_answers_and_allowed_errors(workload: Workload) -> None:
    for form in ("single", "batch", "stream", "flawed"):
        call = next_of(workload, form)
        assert not judged(call, right_answer(call)).complaints
    call = next_of(workload, "single")
    assert not judged(call, Failure("UNAVAILABLE", "")).complaints
    assert not judged(call, Failure("UNAUTHENTICATED", ""), managed=True).complaints
    assert not judged(call, Failure("INTERNAL", ""), damaged=True).complaints
    assert not judged(next_of(workload, "cancel"), Failure("CANCELLED", "")).complaints


@pytest.mark.parametrize(
    "code", ["CANCELLED", "INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND", "UNAUTHENTICATED", "UNKNOWN"]
)
def test_judge_refuses_other_errors(workload: Workload, code: str) -> None:
    assert judged(next_of(workload, "single"), Failure(code, "")).counts["wrong"] == 1


def test_judge_sees_wrong_answers(workload: Workload) -> None:
    call = next_of(workload, "batch")
    answer = right_answer(call)
    for spoilt in (
        [answer[0] + 2e-5, *answer[1:]],
        [np.full_like(answer[0], np.nan), *answer[1:]],
        [answer[0][:-1], *answer[1:]],
        answer[:-1],
        [Failure("INTERNAL", ""), *answer[1:]],
    ):
        assert judged(call, spoilt).counts["wrong"] == 1
    flawed = next_of(workload, "flawed")
    accepted = [np.zeros((len(item.vertices), 3)) for item in flawed.items]
    assert judged(flawed, accepted).counts["wrong"] >= 1


def test_judge_sees_late_and_lost_calls(workload: Workload) -> None:
    call = next_of(workload, "single")
    assert not judged(call, right_answer(call), call.deadline + 0.9).complaints
    assert judged(call, right_answer(call), call.deadline + 1.1).counts["late"] == 1
    judge = judged(call, right_answer(call))
    judge.lost(call)
    assert judge.counts["lost"] == 1 and judge.complaints


def test_frames_are_found_and_only_their_headers_are_damaged() -> None:
    """However the stream is cut into chunks."""
    random_source = random.Random(4)
    lengths = [random_source.randrange(300) for _ in range(40)]
    frames = [n.to_bytes(3, "big") + bytes(6) + random_source.randbytes(n) for n in lengths]
    stream = bytes(PREFACE_BYTES) + b"".join(frames)
    starts = [PREFACE_BYTES + sum(map(len, frames[:i])) for i in range(len(frames))]
    headers = {start + i for start in starts for i in range(HEADER_BYTES)}
    damaged = 0
    for _ in range(300):
        tracker = FrameTracker(from_client=True)
        position, out = 0, b""
        armed = random_source.randrange(len(stream) // 2)
        while position < len(stream):
            size = random_source.choice([1, 7, 9, 60, 2000])
            chunk = bytearray(stream[position : position + size])
            tracker.feed(chunk, random_source if position >= armed else None)
            position += size
            out += chunk
        changed = [i for i, (a, b) in enumerate(zip(stream, out, strict=True)) if a != b]
        assert len(changed) <= 1
        assert set(changed) <= headers
        damaged += len(changed)
    assert damaged > 100


def test_short_run() -> None:
    done = subprocess.run(
        [
            sys.executable, str(HERE / "chaos.py"), "--bin", os.environ["BLENDWIRE_BIN"],
            "--requests", "2000", "--seed", "7", "--calm", "1",
        ],
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["complaints"] == [], report
    assert done.returncode == 0
    assert report["wrong"] == report["lost"] == report["late"] == report["server crashes"] == 0
    assert report["calls"] >= 2000
    assert report["right"] > 0.8 * report["predictions"]
    assert sum(report["proxy"].values()) > 20
