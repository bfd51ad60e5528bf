# SPDX-License-Identifier: GPL-3.0-or-later
"""One press of Generate: read, predict, shape, write; in slices, so that nobody notices.

    STARTING -> READING -> PREDICTING -> SHAPING -> (HOLDING) -> WRITING -> DONE
                              any of them: FAILED or CANCELLED, and nothing is written

tick() does work for a few milliseconds and returns. Whoever has no event loop calls it until
`finished`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from . import shaping
from .checks import check_size
from .expressions import Request, requests_of, table
from .face_evidence import PROBE_OPTIONS, PROBES, evidence_steps
from .gather import Joint, NothingToSend, Source, gather_steps
from .messages import Message, Stop, from_call_error
from .prepare import Predicted, Prepared, prepare_steps
from .run_types import ENDS, Host, Outcome, Phase, RunSettings
from .server_care import ServerCare, ServerSettings, State

BUDGET = 0.002
"""Seconds after which a tick begins no further slice; slices take up to 6 ms, so a tick 8 ms."""

BYTES_BETWEEN_EVALUATIONS = 5_000_000
"""Of keys: so many are added, then Blender evaluates the mesh. Each evaluation copies all keys, into
the memory of the copy before it; pages that were never used cost several times as much, so there
must be few new ones. With 73 keys of 100,000 vertices at once it takes twice as long
(tests/blender/own_costs.py); more often than this brings nothing."""

FACE_STOP, FACE_WARN = 0.25, 0.6
"""Scores of face_evidence below which the run ends, or is done with a warning."""


class Run:
    """One press of Generate."""

    def __init__(
        self,
        host: Host,
        care: ServerCare,
        server_settings: ServerSettings,
        settings: RunSettings,
        *,
        is_call_error: Callable[[Exception], bool],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._host = host
        self._care = care
        self._server_settings = server_settings
        self.settings = settings
        self._is_call_error = is_call_error
        self._clock = clock
        self._began = clock()
        self._predicting_since: float | None = None
        self._job: Any = None
        self._writing = False
        self._frame = settings.frame
        self._work = self._steps()
        self.phase = Phase.STARTING
        self.fraction = 0.0
        self.outcome = Outcome()

    # ---- for the panel ----

    @property
    def finished(self) -> bool:
        """Whether it has ended, however."""
        return self.phase in ENDS

    @property
    def seconds_left(self) -> float | None:
        """Estimated; None while nobody can know."""
        if self.finished or self._predicting_since is None or self.fraction < 0.02:
            return None
        passed = self._clock() - self._predicting_since
        return passed * (1 - self.fraction) / self.fraction

    def cancel(self, code: str = "cancelled") -> None:
        """Ends it; nothing is written, and what was is taken back."""
        if not self.finished:
            self._end(Phase.CANCELLED, Message(code))

    # ---- the engine ----

    def tick(self, budget: float = BUDGET) -> None:
        """Works until the budget (seconds) is spent or there is nothing to do but wait."""
        begin = self._clock()
        while not self.finished:
            try:
                working = next(self._work)
            except StopIteration:
                self._end(Phase.DONE)
            except Stop as stop:
                self._end(Phase.FAILED, stop.message)
            except Exception as error:
                self._end(Phase.FAILED, self._explain(error))
                if not self._is_call_error(error) and not isinstance(error, NothingToSend):
                    raise
            else:
                if working and self._clock() - begin < budget:
                    continue
            break
        self._note_duration(self._clock() - begin)

    def _note_duration(self, duration: float) -> None:
        if self._writing:
            self.outcome.longest_write_tick = max(self.outcome.longest_write_tick, duration)
        else:
            self.outcome.longest_tick = max(self.outcome.longest_tick, duration)

    def _explain(self, error: Exception) -> Message:
        if isinstance(error, NothingToSend):
            return Message("empty_region")
        if self._is_call_error(error):
            return from_call_error(error, self._care.address)
        return Message("internal", {"reason": f"{type(error).__name__}: {error}"})

    def _end(self, phase: Phase, message: Message | None = None) -> None:
        job, self._job = self._job, None
        if job is not None and phase != Phase.DONE:
            job.cancel()
        if phase != Phase.DONE and self._writing:
            self._host.abort_writing()
            self.outcome.written = 0
        self._work.close()
        if message is not None:
            self.outcome.messages.insert(0, message)
        if phase == Phase.DONE:
            self.fraction = 1.0
        self.outcome.seconds = self._clock() - self._began
        self.phase = phase

    # ---- the work: yields True after a slice, False where it can only wait ----

    def _steps(self) -> Generator[bool, None, None]:
        if not self.settings.specs and not self.settings.only_check:
            raise Stop("no_keys")
        yield from self._start_server()
        self.phase = Phase.READING
        sources: list[Source] | None = None
        for sources in self._host.read_steps():
            yield True
        assert sources is not None
        for facing in self.settings.facings or (self.settings.frame.facing,):
            self._frame = dataclasses.replace(self.settings.frame, facing=facing)
            self.phase = Phase.READING
            joint = yield from self._gather(sources)
            self.phase = Phase.PREDICTING
            predicted = yield from self._predict(joint)
        if self.settings.only_check:
            return
        self.phase = Phase.SHAPING
        yield False
        for _ in shaping.make_distinct_steps(predicted.shapes, joint):
            yield True
        yield from self._write(joint, predicted)

    def _gather(self, sources: Sequence[Source]) -> Generator[bool, None, Joint]:
        joint: Joint | None = None
        for joint in gather_steps(sources, self._frame, self.settings.soft_edge):
            yield True
        assert joint is not None
        finding = check_size(joint.vertices, joint.parts[0].name)
        if finding is not None and not self.settings.only_check:
            self.outcome.messages.append(finding.message)
        return joint

    def _start_server(self) -> Iterator[bool]:
        care = self._care
        if care.state != State.RUNNING and not care.start(self._server_settings):
            self._raise_server_trouble()
        while care.state != State.RUNNING:
            care.tick()
            if care.state not in (State.RUNNING, State.STARTING):
                self._raise_server_trouble()
            yield False

    def _raise_server_trouble(self) -> None:
        message = self._care.message or Message("internal", {"reason": "no server"})
        raise Stop(message.code, **message.params)

    def _predict(self, joint: Joint) -> Generator[bool, None, Predicted]:
        requests = requests_of(self.settings.specs)
        options = self.settings.options()
        probes = [table()[name].request.as_item(PROBE_OPTIONS) for name in PROBES]
        items = [*probes, *(request.as_item(options) for request in requests)]
        yield True
        self._job = self._care.client.submit_batch(
            items,
            0,
            vertices=joint.vertices,
            triangles=joint.triangles,
            timeout=60.0 + 30.0 * len(items),
        )
        self._predicting_since = self._clock()
        predicted = Predicted([], {}, "")
        failures: list[Exception] = []
        evidence: dict[str, Any] = {}
        answers: list[Any] = []
        yield True
        while True:
            done = self._job.poll()
            for index, item in self._job.new_items():
                answers.append(item)
                self.fraction = 0.95 * len(answers) / len(items)
                asked = index - len(PROBES)
                if asked < 0:
                    yield from self._take_probe(PROBES[index], item, joint, evidence)
                elif isinstance(item, Exception):
                    failures.append(item)
                else:
                    yield from self._take(requests[asked], item, joint, predicted)
            if done:
                break
            self._watch_server()
            yield False
        error = self._job.exception()
        self._job = None
        if error is not None:
            self._watch_server()
            raise error
        if failures:
            self._note_failures(failures, len(requests))
        predicted.shapes = self._in_order(predicted.shapes)
        while answers:  # one by one: to give back hundreds of megabytes takes milliseconds
            item = answers.pop()
            yield True
        return predicted

    def _take_probe(
        self, name: str, item: Any, joint: Joint, evidence: dict[str, Any]
    ) -> Iterator[bool]:
        """Once all are there: is it a face? If not, the rest need not be waited for."""
        if isinstance(item, Exception):
            if self.settings.only_check:
                raise item
            return
        evidence[name] = item.offsets
        if len(evidence) < len(PROBES):
            return
        score: float | None = None
        for score in evidence_steps(joint.vertices, evidence):
            yield True
        evidence.clear()
        assert score is not None
        self._judge_face(score)

    def _take(
        self, request: Request, item: Any, joint: Joint, predicted: Predicted
    ) -> Iterator[bool]:
        metadata = item.metadata
        predicted.model = f"{metadata.model_name} {metadata.model_version}".strip()
        predicted.smoothness[request] = metadata.quality.smoothness
        for spec in self.settings.specs:
            if spec.request == request:
                strength, width = self.settings.strength_of(spec), self.settings.split_width
                shapes: list[shaping.Shape] | None = None
                for shapes in shaping.shape_steps(spec, joint, item.offsets, strength, width):
                    yield True
                assert shapes is not None
                predicted.shapes += shapes

    def _watch_server(self) -> None:
        self._care.tick()
        if self._care.state != State.RUNNING:
            self._raise_server_trouble()

    def _note_failures(self, failures: Sequence[Exception], asked: int) -> None:
        if len(failures) == asked:
            raise failures[0]
        reason = str(getattr(failures[0], "message", failures[0]))
        self.outcome.messages.append(
            Message("some_failed", {"count": len(failures), "reason": reason})
        )

    def _judge_face(self, score: float) -> None:
        best = self.outcome.face_score
        if best is None or score > best:
            self.outcome.face_score, self.outcome.facing = score, self._frame.facing
        if self.settings.only_check:
            return
        if score < FACE_STOP and self.settings.need_face:
            raise Stop("no_face_stopped", score=score)
        if score < FACE_WARN:
            self.outcome.messages.append(Message("no_face", {"score": score}))

    def _in_order(self, shapes: Sequence[shaping.Shape]) -> list[shaping.Shape]:
        """Answers arrive in any order; keys are written in the order of the sets."""
        place = {spec.key: number for number, spec in enumerate(self.settings.specs)}
        return sorted(shapes, key=lambda s: (s.part, place[s.spec.key]))

    def _hold(self) -> Iterator[bool]:
        """Waits until no target is in Edit Mode: keys written there would be lost."""
        busy = self._host.busy_object()
        if not busy:
            return
        self.phase = Phase.HOLDING
        notice = Message("waiting_for_object_mode", {"object": busy})
        self.outcome.messages.append(notice)
        while self._host.busy_object():
            yield False
        self.outcome.messages.remove(notice)

    # ---- writing ----

    def _write(self, joint: Joint, predicted: Predicted) -> Iterator[bool]:
        yield from self._hold()
        self.phase = Phase.SHAPING
        yield from self._check_objects(joint)
        prepared: Prepared | None = None
        for prepared in prepare_steps(self._host, self.settings, joint, predicted):
            yield True
        assert prepared is not None
        if prepared.keys:
            yield from self._hold()
            self.phase = Phase.WRITING
            yield False
            yield from self._write_prepared(joint, prepared)
        self.outcome.written = len(prepared.names)
        self.outcome.messages += prepared.messages

    def _write_prepared(self, joint: Joint, prepared: Prepared) -> Iterator[bool]:
        """Nothing but Blender's own calls, object by object, so that Blender evaluates one at a
        time.

        What was written is given back in time for Blender to copy into: a third just before an
        object's last evaluation, half of the rest just before the undo step, which copies all keys.
        jemalloc, which Blender is built with, reuses freed memory for those if it is in pieces of
        less than 2 MB; pages never used before take several times as long.
        """
        yield from self._check_objects(joint)
        self._host.begin_writing()
        self._writing = True
        total = len(prepared.keys)
        filled: list[Any] = []
        for name in dict.fromkeys(name for name, _, _ in prepared.keys):
            keys = [(key, positions) for of, key, positions in prepared.keys if of == name]
            prepared.keys = [entry for entry in prepared.keys if entry[0] != name]
            at_a_time = max(1, BYTES_BETWEEN_EVALUATIONS // max(1, keys[0][1].nbytes))
            if len(keys) > at_a_time:
                self._host.begin_many_keys(name)
                yield True
            while keys:
                some, keys = keys[:at_a_time], keys[at_a_time:]
                yield from self._write_some(name, some)
                filled += [positions for _, positions in some]
                del some
                self.fraction = 1 - 0.05 * (len(keys) + len(prepared.keys)) / total
                if keys:  # after the last ones, finish_object_steps() does it
                    self._host.evaluate()
                    yield False
            yield from _give_back(filled, 3)
            for _ in self._host.finish_object_steps(name, prepared.records[name]):
                yield False  # long calls of Blender's: each in a tick of its own
        yield from _give_back(filled, 2)
        self._stop_if_interrupted()
        self._host.finish_writing()
        yield True
        self._writing = False

    def _write_some(self, name: str, keys: list[tuple[str, Any]]) -> Iterator[bool]:
        """All are added before the first is filled: adding makes Blender evaluate the mesh,
        filling does not."""
        for key, _ in keys:
            self._stop_if_interrupted()
            self._host.add_key(name, key)
            yield True
        for key, positions in keys:
            self._stop_if_interrupted()
            self._host.fill_key(name, key, positions)
            yield True
        yield False

    def _stop_if_interrupted(self) -> None:
        if self._host.interrupted():
            raise Stop("undone_while_writing")

    def _check_objects(self, joint: Joint) -> Iterator[bool]:
        for part in joint.parts:
            trouble = self._host.trouble(part.name)
            if trouble is not None:
                raise Stop(trouble.code, **trouble.params)
            yield True


def _give_back(arrays: list[Any], every: int) -> Iterator[bool]:
    """Drops every so many-th, one by one: what lies between them stays, so that the freed pieces
    do not become large ones."""
    for place in range(len(arrays) - 1, -1, -every):
        del arrays[place]
        yield True
