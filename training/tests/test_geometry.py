# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("scipy")

from training import geometry  # noqa: E402


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_y_up_face_along_z_becomes_z_up_face_along_minus_y() -> None:
    nose_tip, crown = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    assert geometry.from_y_up(nose_tip).tolist() == [0, -1, 0]
    assert geometry.from_y_up(crown).tolist() == [0, 0, 1]


def test_weld_joins_equal_positions_only() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1e-7], [1, 0, 0.01]])
    groups = geometry.weld(points)
    assert groups[0] == groups[2]
    assert len(set(groups[[0, 1, 3]])) == 3


def test_welded_normals_do_not_show_a_seam() -> None:
    # a roof of two quads whose ridge vertices are doubled
    points = np.array(
        [[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1], [1, 0, 1], [1, 1, 1], [2, 0, 0], [2, 1, 0]],
        float,
    )
    triangles = np.array([[0, 2, 1], [2, 3, 1], [4, 6, 5], [6, 7, 5]])
    split = geometry.vertex_normals(points, triangles)
    welded = geometry.vertex_normals(points, triangles, geometry.weld(points))
    assert np.abs(split[2] - split[4]).max() > 0.5
    assert np.allclose(welded[2], welded[4])
    assert np.allclose(np.abs(welded[2]), [0, 0, 1], atol=0.35)


def test_vertex_without_triangle_has_no_normal() -> None:
    normals = geometry.vertex_normals(np.eye(4, 3), np.array([[0, 1, 2]]))
    assert np.linalg.norm(normals, axis=1)[:3] == pytest.approx(1)
    assert normals[3].tolist() == [0, 0, 0]


def test_spline_meets_its_targets_and_reproduces_affine_maps(rng: np.random.Generator) -> None:
    source = rng.normal(0, 0.1, (20, 3))
    target = source + rng.normal(0, 0.01, (20, 3))
    assert np.allclose(geometry.Spline(source, target, 1e-9)(source), target, atol=1e-5)
    matrix, shift = rng.normal(0, 1, (3, 3)), rng.normal(0, 1, 3)
    affine = geometry.Spline(source, source @ matrix.T + shift)
    elsewhere = rng.normal(0, 0.3, (50, 3))
    assert np.allclose(affine(elsewhere), elsewhere @ matrix.T + shift, atol=1e-6)


def test_transformed_normals_stay_perpendicular_to_the_surface(rng: np.random.Generator) -> None:
    matrices = rng.normal(0, 1, (30, 3, 3))
    tangents = rng.normal(0, 1, (30, 2, 3))
    normals = np.cross(tangents[:, 0], tangents[:, 1])
    moved = np.einsum("nab,nkb->nka", matrices, tangents)
    got = geometry.transform_normals(matrices, normals)
    assert np.abs(np.einsum("nka,na->nk", moved, got)).max() < 1e-9
    expected = np.cross(moved[:, 0], moved[:, 1])
    assert (np.einsum("na,na->n", expected, got) > 0).all()


def test_local_affine_recovers_the_map(rng: np.random.Generator) -> None:
    points = rng.normal(0, 0.05, (200, 3))
    neighbors = np.array([np.argsort(np.linalg.norm(points - p, axis=1))[:30] for p in points])
    stretch = np.array([[1.2, 0.1, 0], [0, 0.9, 0], [0, 0.05, 1.1]])
    fit = geometry.local_affine(points, np.arange(200), neighbors, 0.05)
    got = fit(points @ stretch.T + 0.4)
    assert np.abs(np.median(got, axis=0) - stretch).max() < 0.05


def test_apply_matrices_is_a_matrix_product(rng: np.random.Generator) -> None:
    matrices, offsets = rng.normal(0, 1, (7, 3, 3)), rng.normal(0, 1, (3, 7, 5))
    expected = np.einsum("nab,bnk->ank", matrices, offsets)
    assert np.allclose(geometry.apply_matrices(matrices, offsets), expected)
