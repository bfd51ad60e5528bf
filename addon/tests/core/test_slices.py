# SPDX-License-Identifier: GPL-3.0-or-later
"""That no step of the work grows with the mesh, and that steps do not change the result. Counted,
not timed: how many rows a step has, and how many steps there are."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from conftest import head
from core import arrays, shaping, weld
from core.expressions import keys_of_set
from core.gather import Source, gather
from core.transforms import Frame
from fakes import head_offsets

ROWS = 100
VISEMES = keys_of_set("visemes")


@pytest.fixture
def joint():
    co, triangles = head()
    return gather([Source("Face", co, triangles, np.eye(4))], Frame())


@pytest.fixture
def few_rows(monkeypatch):
    """Slices far smaller than the mesh; how many rows were transformed, a list."""
    rows: list[int] = []

    def counted(vectors, *arguments, **options):
        rows.append(len(vectors))
        return arrays.transformed(vectors, *arguments, **options)

    monkeypatch.setattr(arrays, "ROWS_AT_A_TIME", ROWS)
    monkeypatch.setattr(shaping, "_COMPARED", ROWS // 5)
    monkeypatch.setattr("core.shaping.transformed", counted)
    monkeypatch.setattr("core.gather.transformed", counted)
    return rows


def rows_of_steps(steps, rows):
    """How many rows each step transforms; the result of the last."""
    sizes, result = [], None
    for result in steps:
        sizes.append(sum(rows))
        rows.clear()
    return sizes, result


def all_shapes(joint):
    offsets = [head_offsets(spec.expression, joint.vertices) for spec in VISEMES]
    return [shaping.shapes_of(s, joint, o, 1.0)[0] for s, o in zip(VISEMES, offsets)]


def test_a_shape_is_made_some_rows_at_a_time(joint, few_rows, monkeypatch) -> None:
    spec, offsets = VISEMES[10], head_offsets("aa", joint.vertices)
    sizes, (shape,) = rows_of_steps(shaping.shape_steps(spec, joint, offsets, 0.7), few_rows)
    count = len(joint.vertices)
    assert max(sizes) <= ROWS < count
    assert sum(sizes) == count
    monkeypatch.setattr(arrays, "ROWS_AT_A_TIME", count)
    (whole,) = shaping.shapes_of(spec, joint, offsets, 0.7)
    np.testing.assert_array_equal(shape.offsets, whole.offsets)
    assert shape.moving == whole.moving > 0


def test_keys_are_told_apart_some_rows_at_a_time(joint, few_rows, monkeypatch) -> None:
    shapes = all_shapes(joint)
    few_rows.clear()
    sizes, _ = rows_of_steps(shaping.make_distinct_steps(shapes, joint), few_rows)
    count = len(joint.vertices)
    assert max(sizes) <= 2 * ROWS < count
    assert len(sizes) >= len(shapes) * count / ROWS
    monkeypatch.setattr(arrays, "ROWS_AT_A_TIME", count)
    others = all_shapes(joint)
    for _ in shaping.make_distinct_steps(others, joint):
        pass
    assert [s.nudged for s in shapes] == [s.nudged for s in others]
    for shape, other in zip(shapes, others):
        np.testing.assert_array_equal(shape.offsets, other.offsets)


def test_equal_keys_are_told_apart_in_steps(joint, few_rows) -> None:
    shapes = [s for spec in VISEMES for s in shaping.shapes_of(spec, joint, joint.vertices * 0, 1)]
    few_rows.clear()
    sizes, _ = rows_of_steps(shaping.make_distinct_steps(shapes, joint), few_rows)
    assert max(sizes) <= 2 * ROWS
    assert all(s.nudged for s in shapes)
    for number, one in enumerate(shapes):
        for other in shapes[:number]:
            assert np.abs(one.offsets - other.offsets).max() >= shaping.SAME


def test_quality_is_measured_some_rows_at_a_time(joint, few_rows, monkeypatch) -> None:
    shape, part = all_shapes(joint)[10], joint.parts[0]
    few_rows.clear()
    sizes, quality = rows_of_steps(shaping.quality_steps(shape, part, 0.5), few_rows)
    assert max(sizes) <= ROWS
    assert sum(sizes) == len(joint.vertices)
    monkeypatch.setattr(arrays, "ROWS_AT_A_TIME", len(joint.vertices))
    assert quality == shaping.quality_of(shape, part, 0.5)


def test_a_mesh_that_is_cut_everywhere_is_welded_some_vertices_at_a_time(monkeypatch) -> None:
    """Flat shading: every triangle has vertices of its own, and all are border."""
    co, triangles = head()
    cut = co[triangles.reshape(-1)]
    faces = np.arange(len(cut)).reshape(-1, 3)
    searched: list[int] = []
    search = weld._near_pairs

    def counted(places, normals, chosen, *others):
        searched.append(len(chosen))
        return search(places, normals, chosen, *others)

    monkeypatch.setattr(weld, "_near_pairs", counted)
    whole = weld.weld_map(cut, faces)
    assert searched == [len(cut)] * 8
    searched.clear()
    monkeypatch.setattr(weld, "_AT_A_TIME", 200)
    monkeypatch.setattr(weld, "_TRIANGLES_AT_A_TIME", 70)
    in_a_step, mapping = [], None
    for mapping in weld.weld_steps(cut, faces):
        in_a_step.append(sum(searched))
        searched.clear()
    assert max(in_a_step) <= 2 * 200  # cells are dealt out, not counted out
    assert len(in_a_step) > 8 * len(cut) / 200
    np.testing.assert_array_equal(mapping, whole)
    places = np.unique(co[triangles].reshape(-1, 3), axis=0)
    assert len(np.unique(mapping)) == len(places)


def test_a_run_imports_nothing() -> None:
    """Some of numpy's functions import modules when they are first called, for up to 10 ms."""
    code = """
import sys
from conftest import head
import test_run
run, host, backend = test_run.make()
before = set(sys.modules)
test_run.finish(run)
assert run.outcome.written == 15, run.outcome
print(*sorted(set(sys.modules) - before))
"""
    here = pathlib.Path(__file__).parent
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
