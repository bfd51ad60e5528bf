# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces, regions, welding and the way back, against independent computations."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import sphere
from core import gather as g
from core import region
from core.transforms import Frame, is_flat, offsets_to_local, to_model
from core.weld import open_vertices, weld_map


def matrix(scale: float = 1.0, degrees_x: float = 0.0, move: tuple[float, ...] = (0, 0, 0)):
    angle = np.radians(degrees_x)
    result = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    result[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) * scale
    result[:3, 3] = move
    return result


def test_fbx_object_gives_the_plain_one(ball) -> None:
    co, triangles = ball
    fbx = matrix(0.01, -90)
    local = (co.astype(np.float64) @ np.linalg.inv(fbx[:3, :3]).T).astype(np.float32)
    plain = g.gather([g.Source("a", co, triangles, np.eye(4))], Frame())
    other = g.gather([g.Source("a", local, triangles, fbx)], Frame())
    np.testing.assert_allclose(other.vertices, plain.vertices, atol=1e-6)
    offsets = np.full_like(plain.vertices, 0.003)
    moved = other.parts[0].key_positions(other.parts[0].local_offsets(offsets))
    np.testing.assert_allclose(moved @ fbx[:3, :3].T, co + 0.003, atol=1e-6)


@pytest.mark.parametrize(
    ("facing", "forward"),
    [("-Y", (0, -1, 0)), ("+Y", (0, 1, 0)), ("+X", (1, 0, 0)), ("-X", (-1, 0, 0))],
)
def test_facing_is_turned_to_minus_y(facing, forward) -> None:
    frame = Frame(facing=facing)
    model = to_model(np.array([forward], dtype=np.float32), np.eye(4), frame)
    np.testing.assert_allclose(model, [[0, -1, 0]], atol=1e-7)
    back = np.array([[0, -1, 0]]) @ offsets_to_local(np.eye(4), frame).T
    np.testing.assert_allclose(back, [forward], atol=1e-7)


def test_unit_scale_and_size_factor_cancel_out(ball) -> None:
    co, triangles = ball
    frame = Frame(unit_scale=0.01, size_factor=2.0)
    joint = g.gather([g.Source("a", co, triangles, np.eye(4))], frame)
    np.testing.assert_allclose(joint.vertices, co * 0.02, rtol=1e-6)
    local = joint.parts[0].local_offsets(np.full_like(joint.vertices, 0.02))
    np.testing.assert_allclose(local, 1.0, rtol=1e-6)


def test_flat_transform_is_found() -> None:
    flat = np.eye(4)
    flat[2, 2] = 0
    assert is_flat(flat)
    assert not is_flat(matrix(1e-6))


def test_outside_the_region_nothing_changes_a_bit(ball) -> None:
    co, triangles = ball
    inside = co[:, 2] > 0.02
    joint = g.gather([g.Source("a", co, triangles, matrix(0.37, 31), inside)], Frame(), 0.03)
    part = joint.parts[0]
    moved = part.key_positions(part.local_offsets(np.full_like(joint.vertices, 0.01)))
    assert (moved[~inside].view(np.uint32) == co[~inside].view(np.uint32)).all()
    assert (moved[inside] != co[inside]).any(axis=1).all()
    assert len(joint.vertices) == inside.sum()


def test_soft_edge_rises_with_the_distance(ball) -> None:
    co, triangles = ball
    inside = co[:, 2] > -0.01
    weights = region.soft_weights(co, triangles, inside, 0.05)
    assert (weights[~inside] == 0).all()
    assert weights[0] == 1  # the pole is 0.1 m away
    border = {int(v) for t in triangles if 0 < inside[t].sum() < 3 for v in t if not inside[v]}
    for vertex in np.flatnonzero(inside):
        distance = min(float(np.linalg.norm(co[vertex] - co[b])) for b in border)
        r = min(distance / 0.05, 1.0)
        assert weights[vertex] == pytest.approx(r * r * (3 - 2 * r), abs=1e-5)


def test_soft_edge_needs_a_border(ball) -> None:
    co, triangles = ball
    assert (region.soft_weights(co, triangles, np.ones(len(co), bool), 0.05) == 1).all()


def test_group_weights_multiply(ball) -> None:
    co, triangles = ball
    weights = np.linspace(0.1, 1, len(co)).astype(np.float32)
    source = g.Source("a", co, triangles, np.eye(4), np.ones(len(co), bool), weights)
    part = g.gather([source], Frame()).parts[0]
    np.testing.assert_allclose(
        part.local_offsets(np.ones((len(co), 3), np.float32))[:, 0], weights, rtol=1e-6
    )


def test_automatic_region_of_a_body_is_its_top() -> None:
    heights = np.linspace(0, 1.7, 100, dtype=np.float32)
    mask = region.head_mask(np.stack([heights * 0, heights * 0, heights], axis=1))
    assert mask[-1]
    assert not mask[0]
    assert 0.15 < mask.mean() < 0.35


def test_automatic_region_of_a_head_is_all_of_it(ball) -> None:
    assert region.head_mask(ball[0]).all()


def test_a_huge_head_is_no_body(ball) -> None:
    assert region.head_mask(ball[0] * 10).all()


def test_no_vertex_in_the_region(ball) -> None:
    co, triangles = ball
    with pytest.raises(g.NothingToSend):
        g.gather([g.Source("a", co, triangles, np.eye(4), np.zeros(len(co), bool))], Frame())


def split(co, triangles):
    """Four objects by quadrant, each with its own transform."""
    middle = co[triangles].mean(axis=1)
    quadrant = (middle[:, 0] > 0).astype(int) + 2 * (middle[:, 2] > 0)
    for number in range(4):
        used, inner = np.unique(triangles[quadrant == number], return_inverse=True)
        world = matrix(0.5 + number, 20 * number, (number, 0.3, -number))
        local = (co[used].astype(np.float64) - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
        yield (
            used,
            g.Source(
                str(number), local.astype(np.float32), inner.reshape(-1, 3).astype(np.int32), world
            ),
        )


def test_mesh_in_four_objects_is_welded_to_the_plain_one(ball) -> None:
    co, triangles = ball
    pieces = list(split(co, triangles))
    joint = g.gather([source for _, source in pieces], Frame())
    assert len(joint.vertices) == len(co)
    assert len(joint.triangles) == len(triangles)
    field = np.stack([np.sin(40 * joint.vertices[:, i]) for i in range(3)], 1).astype(np.float32)
    expected = np.sin(40 * co)
    for (used, source), part in zip(pieces, joint.parts):
        world = np.asarray(source.matrix_world)[:3, :3]
        moved = part.local_offsets(field) @ world.T
        np.testing.assert_allclose(moved, expected[used], atol=1e-4)


def test_weld_follows_a_slow_search() -> None:
    rng = np.random.default_rng(3)
    co = rng.random((60, 3)).astype(np.float32)
    co[30:] = co[:30]
    co[30:40] += 1e-3  # too far
    triangles = np.concatenate([np.arange(30).reshape(-1, 3)] * 2) + np.repeat([0, 30], 10)[:, None]
    mapping = weld_map(co, triangles, 1e-6)
    for vertex in range(60):
        same = [o for o in range(vertex + 1) if np.linalg.norm(co[o] - co[vertex]) <= 1e-6]
        assert mapping[vertex] == same[0]


def test_closed_lips_stay_apart() -> None:
    """Two sheets at one place that face each other."""
    sheet = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    co = np.concatenate([sheet, sheet])
    opposed = np.concatenate([faces, faces[:, ::-1] + 4])
    assert (weld_map(co, opposed) == np.arange(8)).all()
    alike = np.concatenate([faces, faces + 4])
    assert (weld_map(co, alike) == np.tile(np.arange(4), 2)).all()


def test_closed_surfaces_that_touch_stay_apart(ball) -> None:
    co, triangles = ball
    both = np.concatenate([co, co])
    faces = np.concatenate([triangles, triangles + len(co)])
    assert (weld_map(both, faces) == np.arange(len(both))).all()


def test_open_vertices_against_counting_edges() -> None:
    co, triangles = sphere(8, 9)
    kept = triangles[co[triangles].mean(axis=1)[:, 2] < 0.04]
    uses: dict[tuple[int, int], int] = {}
    for triangle in kept:
        for i in range(3):
            edge = tuple(sorted((int(triangle[i]), int(triangle[(i + 1) % 3]))))
            uses[edge] = uses.get(edge, 0) + 1
    expected = {v for edge, count in uses.items() if count == 1 for v in edge}
    assert set(np.flatnonzero(open_vertices(kept, len(co)))) == expected
    assert expected


def test_halves_add_up_to_the_whole() -> None:
    x = np.linspace(-0.1, 0.1, 101, dtype=np.float32)
    left, right = (region.side_weights(x, side, 0.02) for side in ("left", "right"))
    np.testing.assert_allclose(left + right, 1, atol=1e-7)
    assert left[-1] == 1
    assert right[-1] == 0
    assert left[50] == pytest.approx(0.5, abs=1e-5)


def test_fingerprint_notices_one_bit(ball) -> None:
    co, _ = ball
    other = co.copy()
    other[3, 1] = np.nextafter(other[3, 1], np.float32(1))
    assert g.fingerprint(co, 5) != g.fingerprint(other, 5)
    assert g.fingerprint(co, 5) != g.fingerprint(co, 6)
