# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run writes its keys, and takes them back."""

from __future__ import annotations

import weakref

import numpy as np
from core.run import Phase
from test_run import VISEMES, codes, finish, make, until


def test_blender_evaluates_after_every_few_megabytes_of_keys(monkeypatch) -> None:
    run, host, _ = make()
    size = host.sources[0].co.nbytes
    monkeypatch.setattr("core.run.BYTES_BETWEEN_EVALUATIONS", 4 * size)
    finish(run)
    assert host.many_keys == ["Face"]
    assert host.evaluated == [4, 8, 12]  # of 15; the rest with the whole object
    assert [keys for _, keys in host.finished] == [15 + 1]


def test_a_small_object_is_evaluated_once() -> None:
    run, host, _ = make()
    finish(run)
    assert host.many_keys == [] and host.evaluated == []
    assert [keys for _, keys in host.finished] == [15 + 1]


def test_written_arrays_are_given_back_for_blenders_copies(monkeypatch) -> None:
    run, host, _ = make()
    arrays = []
    alive: dict[str, list[bool]] = {}

    def fill_key(name, key, positions):
        arrays.append(weakref.ref(positions))

    def finish_object_steps(name, records):
        alive["evaluation"] = [a() is not None for a in arrays]
        yield None

    def finish_writing():
        alive["undo step"] = [a() is not None for a in arrays]

    for call in (fill_key, finish_object_steps, finish_writing):
        monkeypatch.setattr(host, call.__name__, call)
    finish(run)
    assert alive["evaluation"] == [True, True, False] * 5
    assert alive["undo step"] == [True, False, False] * 5
    assert len(arrays) == 15 and all(a() is None for a in arrays)


def test_a_key_larger_than_that_is_evaluated_alone(monkeypatch) -> None:
    run, host, _ = make(VISEMES[:3])
    monkeypatch.setattr("core.run.BYTES_BETWEEN_EVALUATIONS", 1)
    finish(run)
    assert host.evaluated == [1, 2]


def test_a_tick_of_writing_ends_with_its_budget() -> None:
    """A slice takes 2 ms here."""
    now = 0.0
    run, _, _ = make()
    run._clock = lambda: now
    until(run, Phase.WRITING)
    work = run._work

    def slow_work():
        nonlocal now
        for working in work:
            now += 0.002
            yield working

    run._work = slow_work()
    while not run.finished:
        begin = now
        run.tick()
        assert now - begin <= 0.004
    assert run.phase == Phase.DONE


def test_cancel_while_writing_takes_it_back() -> None:
    run, host, _ = make()
    until(run, Phase.WRITING)
    while host.written < 3:
        run.tick(0)
    run.cancel()
    assert list(host.keys["Face"]) == ["Basis"]
    assert host.undo_steps == 0


def test_undo_while_writing_takes_it_back() -> None:
    run, host, _ = make()
    host.undo_at = 5
    finish(run)
    assert run.phase == Phase.FAILED
    assert list(host.keys["Face"]) == ["Basis"]
    assert codes(run)[0] == "undone_while_writing"
