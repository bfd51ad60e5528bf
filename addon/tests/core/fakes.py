# SPDX-License-Identifier: GPL-3.0-or-later
"""A server, a client and a Blender that do what a test tells them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np
from core import provenance
from core.gather import Source, fingerprint
from core.messages import Message

MOUTH_HEIGHT = -0.039
"""Between the lips of conftest.head()."""


class CallError(Exception):
    """Like blendwire.BlendwireError."""

    def __init__(self, code: str, message: str) -> None:
        self.code = types.SimpleNamespace(name=code)
        self.message = message
        super().__init__(message)


class FakeJob:
    """Done after `polls` polls."""

    def __init__(self, result: Any = None, error: Exception | None = None, polls: int = 1) -> None:
        self.left, self._result, self._error = polls, result, error
        self.cancelled = False

    def poll(self) -> bool:
        self.left -= 1
        return self.left < 0

    def cancel(self) -> None:
        self.cancelled = True

    def result(self) -> Any:
        if self._error:
            raise self._error
        return self._result

    def exception(self) -> Exception | None:
        return self._error


class FakeBatch(FakeJob):
    """One answer for each poll."""

    def __init__(self, answers: list[Any], error: Exception | None = None) -> None:
        super().__init__(error=error)
        self.answers, self.given, self.polled = answers, 0, 0

    def poll(self) -> bool:
        self.polled += 1
        return self.polled > len(self.answers) + 1 or self._error is not None

    def new_items(self) -> Iterator[tuple[int, Any]]:
        while self.given < min(self.polled, len(self.answers)):
            self.given += 1
            yield self.given - 1, self.answers[self.given - 1]


def head_offsets(name: str, vertices: np.ndarray) -> np.ndarray:
    """Motions like a face's on conftest.head(): lids above, jaw below, and what is above the
    mouth stays when the jaw opens; each name differs a bit."""
    result = np.zeros_like(vertices)
    if name == "sil":
        return result
    if name.startswith("eyeBlink"):
        x = 0.03 if name.endswith("Left") else -0.03
        place = np.array([x, -0.09, 0.03])
    else:
        place = np.array([0, -0.09, -0.05])
    near = np.exp(-((vertices - place) ** 2).sum(axis=1) / 0.03**2)
    if not name.startswith("eyeBlink"):
        near[vertices[:, 2] > MOUTH_HEIGHT] = 0
    result[:, 2] = -0.01 * near * (1 + (sum(name.encode()) % 89) / 100)
    return result.astype(np.float32)


class FakeClient:
    """Answers with head_offsets()."""

    def __init__(self) -> None:
        self.health: FakeJob = FakeJob(healthy())
        self.batches: list[dict[str, Any]] = []
        self.fail: dict[str, Exception] = {}
        self.batch_error: Exception | None = None
        self.offsets = head_offsets
        self.job: FakeBatch | None = None

    def submit_health(self, timeout: float = 5, max_attempts: int = 0) -> FakeJob:
        return self.health

    def submit_batch(self, items: Any, parallel: int, **mesh: Any) -> FakeBatch:
        self.batches.append({"items": items, **mesh})
        answers = [self._answer(item, mesh["vertices"]) for item in items]
        self.job = FakeBatch(answers, self.batch_error)
        return self.job

    def _answer(self, item: dict[str, Any], vertices: np.ndarray) -> Any:
        name = item["expression_name"]
        if name in self.fail:
            return self.fail[name]
        quality = types.SimpleNamespace(smoothness=0.9)
        metadata = types.SimpleNamespace(model_name="default", model_version="7", quality=quality)
        return types.SimpleNamespace(offsets=self.offsets(name, vertices), metadata=metadata)


def healthy(serving: bool = True) -> Any:
    return types.SimpleNamespace(
        serving=serving, message="no model", version="0.1.0", model_version="7", device_info="CPU"
    )


class FakeServer:
    """A private server; `dead` is why it died."""

    def __init__(self, client: FakeClient) -> None:
        self.dead: Exception | None = None
        self._client = client
        self.pid = 42
        self.stopping: FakeJob | None = None

    def check(self) -> None:
        if self.dead:
            raise self.dead

    def client(self) -> FakeClient:
        return self._client

    def submit_stop(self) -> FakeJob:
        self.stopping = FakeJob()
        return self.stopping


class FakeBackend:
    """Hands out one fake client."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.servers: list[FakeServer] = []
        self.start_error: Exception | None = None
        self.addresses: list[str] = []

    def submit_start(self, settings: Any) -> FakeJob:
        if self.start_error:
            return FakeJob(error=self.start_error)
        self.servers.append(FakeServer(self.client))
        return FakeJob(self.servers[-1])

    def connect(self, address: str) -> FakeClient:
        self.addresses.append(address)
        return self.client

    def is_error(self, error: Exception) -> bool:
        return isinstance(error, CallError)


class FakeHost:
    """Objects with keys in a dictionary."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.keys: dict[str, dict[str, np.ndarray]] = {s.name: {"Basis": s.co} for s in sources}
        self.records: dict[str, dict[str, provenance.Record]] = {s.name: {} for s in sources}
        self.prints = {s.name: fingerprint(s.co, len(s.triangles)) for s in sources}
        self.undo_steps = 0
        self.edit_mode_ticks = 0
        self.undo_at: int | None = None
        self.written = 0
        self.finished: list[tuple[str, int]] = []  # object, keys that it had then
        self.evaluated: list[int] = []  # keys that were filled by then
        self.many_keys: list[str] = []  # objects that begin_many_keys() was called for
        self._before: Any = None

    def read_steps(self) -> Iterator[Any]:
        yield None
        yield self.sources

    def trouble(self, name: str) -> Message | None:
        if name not in self.keys:
            return Message("object_gone", {"object": name})
        source = next(s for s in self.sources if s.name == name)
        if fingerprint(source.co, len(source.triangles)) != self.prints[name]:
            return Message("object_changed", {"object": name})
        return None

    def busy_object(self) -> str:
        self.edit_mode_ticks -= 1
        return self.sources[0].name if self.edit_mode_ticks >= 0 else ""

    def existing_steps(self, name: str) -> Iterator[Any]:
        yield None
        states = {}
        for key, positions in self.keys[name].items():
            record = self.records[name].get(key)
            states[key] = provenance.state_of(record, provenance.checksum(positions))
        yield states, "Basis"

    def begin_writing(self) -> None:
        self._before = {name: dict(keys) for name, keys in self.keys.items()}

    def begin_many_keys(self, name: str) -> None:
        assert list(self.keys[name]) == ["Basis"]
        self.many_keys.append(name)

    def add_key(self, name: str, key: str) -> None:
        self.keys[name].setdefault(key, self.keys[name]["Basis"])

    def fill_key(self, name: str, key: str, positions: np.ndarray) -> None:
        self.written += 1
        self.keys[name][key] = positions

    def interrupted(self) -> bool:
        return self.undo_at is not None and self.written >= self.undo_at

    def evaluate(self) -> None:
        self.evaluated.append(self.written)

    def finish_object_steps(self, name: str, records: Any) -> Iterator[None]:
        self.finished.append((name, len(self.keys[name])))
        yield None
        self.records[name].update(records)

    def finish_writing(self) -> None:
        self.undo_steps += 1

    def abort_writing(self) -> None:
        self.keys = self._before
