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


def test_every_second_array_is_given_back_before_the_undo_step(monkeypatch) -> None:
    run, host, _ = make()
    arrays = []
    fill = host.fill_key

    def filled(name, key, positions):
        arrays.append(weakref.ref(positions))
        fill(name, key, np.zeros(0))

    alive = []
    monkeypatch.setattr(host, "fill_key", filled)
    monkeypatch.setattr(host, "finish_writing", lambda: alive.append([a() is not None for a in arrays]))
    finish(run)
    assert len(alive) == 1 and len(arrays) == 15
    assert alive[0] == [True, False] * 7 + [True]
    assert all(a() is None for a in arrays)


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
