# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate, from the press of the button to the keys."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from conftest import head
from core import expressions, provenance
from core.gather import Source
from core.run import Phase, Run, RunSettings
from core.server_care import ServerCare, ServerSettings
from core.transforms import FACINGS
from fakes import CallError, FakeBackend, FakeHost, head_offsets

VISEMES = expressions.keys_of_set("visemes")


def make(specs=VISEMES, sources=None, **settings):
    co, triangles = head()
    backend = FakeBackend()
    host = FakeHost(sources or [Source("Face", co, triangles, np.eye(4))])
    run = Run(
        host,
        ServerCare(backend),
        ServerSettings(),
        RunSettings(specs, **settings),
        is_call_error=lambda e: isinstance(e, CallError),
    )
    return run, host, backend


def finish(run, ticks=2000):
    for _ in range(ticks):
        if run.finished:
            return run
        run.tick()
    raise AssertionError(run.phase)


def codes(run):
    return [m.code for m in run.outcome.messages]


def test_all_visemes_exist_move_and_differ() -> None:
    run, host, _ = make()
    finish(run)
    assert run.phase == Phase.DONE
    keys = host.keys["Face"]
    base = keys.pop("Basis")
    assert list(keys) == [s.key for s in VISEMES]
    seen = []
    for name, positions in keys.items():
        assert 1e-5 < np.abs(positions - base).max() < 0.1, name
        assert all(np.abs(positions - other).max() > 1e-5 for other in seen), name
        seen.append(positions)
    assert np.abs(keys["vrc.v_sil"] - base).max() == pytest.approx(1e-4, rel=1e-2)
    assert "nudged" in codes(run)
    assert host.undo_steps == 1
    assert run.outcome.written == 15


def test_equal_visemes_are_told_apart() -> None:
    run, host, backend = make()
    backend.client.offsets = lambda name, v: head_offsets(
        name if name.startswith(("eye", "jaw")) else "aa", v
    )
    finish(run)
    arrays = [v for k, v in host.keys["Face"].items() if k != "Basis"]
    for index, one in enumerate(arrays):
        for other in arrays[:index]:
            assert np.abs(one - other).max() >= 2e-5


def test_offsets_times_strengths_are_what_is_written() -> None:
    specs = expressions.keys_of_set("picked", picked=["jawOpen", "aa"])
    run, host, _ = make(specs, strengths={"picked": 0.5, "jawOpen": 3.0})
    finish(run)
    base = host.keys["Face"]["Basis"]
    expected = base + 1.5 * head_offsets("jawOpen", base)
    np.testing.assert_allclose(host.keys["Face"]["jawOpen"], expected, atol=1e-7)
    expected = base + 0.5 * head_offsets("aa", base)
    np.testing.assert_allclose(host.keys["Face"]["aa"], expected, atol=1e-7)


def test_halves_add_up() -> None:
    whole = expressions.keys_of_set("picked", picked=["jawOpen"])
    run, host, backend = make(expressions.split_sides(whole[0]) + whole)
    finish(run)
    keys = host.keys["Face"]
    total = keys["jawOpen_L"] + keys["jawOpen_R"] - keys["Basis"]
    np.testing.assert_allclose(total, keys["jawOpen"], atol=1e-6)
    left = np.abs(keys["jawOpen_L"] - keys["Basis"]).max(axis=1)
    assert left[keys["Basis"][:, 0] < -0.011].max() == 0
    assert len([i for i in backend.client.batches[0]["items"]]) == 4  # one prediction, three probes


def test_options_reach_the_server() -> None:
    run, _, backend = make(smoothing=0, max_displacement=0.05)
    finish(run)
    options = backend.client.batches[0]["items"][-1]["options"]
    assert options["apply_smoothing"] is False
    assert options["max_displacement"] == 0.05
    assert options["clamp_extreme_values"] is True


def test_hand_made_keys_are_kept_and_said_so() -> None:
    run, host, _ = make()
    mine = host.keys["Face"]["Basis"] + np.float32(0.5)
    host.keys["Face"]["vrc.v_aa"] = mine
    finish(run)
    assert host.keys["Face"]["vrc.v_aa"] is mine
    assert "some_kept" in codes(run)
    assert run.outcome.written == 14


def test_overwrite_replaces_hand_made_keys_but_never_the_basis() -> None:
    run, host, _ = make(overwrite=True)
    host.keys["Face"]["vrc.v_aa"] = host.keys["Face"]["Basis"] + np.float32(0.5)
    finish(run)
    assert np.abs(host.keys["Face"]["vrc.v_aa"] - host.keys["Face"]["Basis"]).max() < 0.1
    assert host.keys["Face"]["Basis"] is host.sources[0].co


def test_generated_keys_are_replaced_and_edited_ones_kept() -> None:
    run, host, _ = make()
    finish(run)
    edited = host.keys["Face"]["vrc.v_oh"] = host.keys["Face"]["vrc.v_oh"] + np.float32(0.001)
    again, _, backend = make()
    again._host = host
    backend.client.offsets = lambda name, v: 2 * head_offsets(name, v)
    before = host.keys["Face"]["vrc.v_aa"]
    finish(again)
    assert host.keys["Face"]["vrc.v_oh"] is edited
    assert np.abs(host.keys["Face"]["vrc.v_aa"] - before).max() > 1e-3


def test_record_says_how_it_was_made() -> None:
    run, host, _ = make(soft_edge=0.02)
    finish(run)
    record = host.records["Face"]["vrc.v_aa"]
    assert record.model == "default 7"
    assert record.expression == "aa"
    assert record.settings["soft_edge"] == 0.02
    assert record.quality["max_mm"] > 1
    stored = provenance.load(provenance.dump(host.records["Face"]))
    assert stored == {k: dataclasses.replace(r) for k, r in host.records["Face"].items()}


@pytest.mark.parametrize("ticks", [0, 3, 6, 12])
def test_cancel_writes_nothing(ticks) -> None:
    run, host, backend = make()
    for _ in range(ticks):
        run.tick(0)
    run.cancel()
    assert run.phase == Phase.CANCELLED
    assert list(host.keys["Face"]) == ["Basis"]
    assert codes(run)[0] == "cancelled"
    if backend.client.job:
        assert backend.client.job.cancelled
    run.tick()
    assert list(host.keys["Face"]) == ["Basis"]


def until(run, phase):
    for _ in range(3000):
        if run.phase == phase:
            return
        run.tick(0)
    raise AssertionError(run.phase)


def test_deleted_object() -> None:
    run, host, _ = make()
    until(run, Phase.PREDICTING)
    del host.keys["Face"]
    finish(run)
    assert run.phase == Phase.FAILED
    assert codes(run)[0] == "object_gone"


def test_edited_object() -> None:
    run, host, _ = make()
    until(run, Phase.PREDICTING)
    host.sources[0].co = host.sources[0].co + np.float32(0.001)
    finish(run)
    assert codes(run)[0] == "object_changed"
    assert list(host.keys["Face"]) == ["Basis"]


def test_edit_mode_is_waited_for() -> None:
    run, host, _ = make()
    host.edit_mode_ticks = 5
    until(run, Phase.HOLDING)
    assert "waiting_for_object_mode" in codes(run)
    finish(run)
    assert run.phase == Phase.DONE
    assert "waiting_for_object_mode" not in codes(run)


def test_server_that_dies_during_a_run() -> None:
    run, host, backend = make()
    until(run, Phase.PREDICTING)
    run.tick(0)
    backend.servers[0].dead = CallError("INTERNAL", "killed by signal 9")
    finish(run)
    assert run.phase == Phase.FAILED
    assert codes(run)[0] == "crashed"
    assert list(host.keys["Face"]) == ["Basis"]


def test_server_that_cannot_start() -> None:
    run, _, backend = make()
    backend.start_error = CallError("NOT_FOUND", "no program")
    finish(run)
    assert codes(run)[0] == "start_failed"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("DEADLINE_EXCEEDED", "took_too_long"),
        ("RESOURCE_EXHAUSTED", "overloaded"),
        ("INVALID_ARGUMENT", "call_failed"),
        ("UNAUTHENTICATED", "wrong_token"),
    ],
)
def test_failed_call_is_explained(code, expected) -> None:
    run, host, backend = make()
    backend.client.batch_error = CallError(code, "because")
    finish(run)
    assert codes(run)[0] == expected
    assert list(host.keys["Face"]) == ["Basis"]


def test_one_failed_expression_does_not_fail_the_others() -> None:
    run, _, backend = make()
    backend.client.fail["aa"] = CallError("INTERNAL", "NaN")
    finish(run)
    assert run.phase == Phase.DONE
    assert run.outcome.written == 14
    assert "some_failed" in codes(run)


def test_something_that_is_no_face_stops_the_run() -> None:
    run, host, backend = make()
    backend.client.offsets = lambda name, v: np.full_like(v, 0.01)
    finish(run)
    assert codes(run)[0] == "no_face_stopped"
    assert list(host.keys["Face"]) == ["Basis"]
    allowed, host, backend = make(need_face=False)
    backend.client.offsets = lambda name, v: np.full_like(v, 0.01)
    finish(allowed)
    assert allowed.phase == Phase.DONE
    assert "no_face" in codes(allowed)


def test_four_objects_get_the_plain_result() -> None:
    from test_gather import split

    co, triangles = head()
    plain, plain_host, _ = make()
    finish(plain)
    pieces = list(split(co, triangles))
    run, host, _ = make(sources=[s for _, s in pieces])
    finish(run)
    assert run.phase == Phase.DONE
    expected = plain_host.keys["Face"]["vrc.v_aa"]
    seen = 0
    for used, source in pieces:
        if "vrc.v_aa" in host.keys[source.name]:
            seen += 1
            world = np.asarray(source.matrix_world)
            moved = host.keys[source.name]["vrc.v_aa"] @ world[:3, :3].T + world[:3, 3]
            np.testing.assert_allclose(moved, expected[used], atol=1e-4)
    assert seen >= 2
    assert host.undo_steps == 1
    # Each object is finished once, with all its keys, before the next one is begun.
    assert [name for name, _ in host.finished] == [n for n, k in host.keys.items() if len(k) > 1]
    assert all(len(host.keys[name]) == count for name, count in host.finished)


def test_empty_selection_of_sets() -> None:
    run, _, _ = make([])
    finish(run)
    assert codes(run) == ["no_keys"]


def test_unexpected_error_is_shown_and_raised() -> None:
    run, host, _ = make()
    host.existing_steps = lambda name: 1 / 0
    with pytest.raises(ZeroDivisionError):
        finish(run)
    assert run.phase == Phase.FAILED
    assert codes(run)[0] == "internal"


def test_progress_rises_to_one() -> None:
    run, _, _ = make()
    seen = [0.0]
    while not run.finished:
        run.tick(0)
        seen.append(run.fraction)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(set(seen)) > 15


@pytest.mark.parametrize(("motion", "low", "high"), [(None, 0.9, 1.0), (0.01, 0.0, 0.0)])
def test_a_check_only_says_how_much_of_a_face_it_is(motion, low, high) -> None:
    run, host, backend = make([], only_check=True)
    if motion is not None:
        backend.client.offsets = lambda name, v: np.full_like(v, motion)
    finish(run)
    assert run.phase == Phase.DONE
    assert low <= run.outcome.face_score <= high
    assert len(backend.client.batches[0]["items"]) == 3
    assert list(host.keys["Face"]) == ["Basis"]
    assert host.undo_steps == 0


@pytest.mark.parametrize("looks_to", ["-Y", "+Y", "+X", "-X"])
def test_the_best_of_several_facings_is_found(looks_to) -> None:
    co, triangles = head()
    co[np.argmin(co[:, 1]), 1] -= 0.05  # a nose
    angle = -np.radians(FACINGS[looks_to])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    sources = [Source("Face", co, triangles, turn)]
    run, host, backend = make([], sources, only_check=True, facings=tuple(FACINGS))
    backend.client.offsets = lambda name, v: (
        head_offsets(name, v) if v[:, 1].min() < -0.14 else np.full_like(v, 0.01)
    )
    finish(run)
    assert run.phase == Phase.DONE
    assert len(backend.client.batches) == 4
    assert run.outcome.facing == looks_to
    assert run.outcome.face_score > 0.9
    assert list(host.keys["Face"]) == ["Basis"]


def test_no_face_is_known_before_the_rest_is_there() -> None:
    run, _, backend = make()
    backend.client.offsets = lambda name, v: np.full_like(v, 0.01)
    finish(run)
    assert codes(run)[0] == "no_face_stopped"
    assert backend.client.job.given < len(backend.client.job.answers)
    assert backend.client.job.cancelled


def test_a_check_that_fails_says_so() -> None:
    run, _, backend = make([], only_check=True)
    backend.client.fail["jawOpen"] = CallError("INTERNAL", "NaN")
    finish(run)
    assert run.phase == Phase.FAILED
    assert codes(run)[0] == "call_failed"
