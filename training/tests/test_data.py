# SPDX-License-Identifier: Apache-2.0
"""Slots, files, landmarks, contact, rigs and samples, on a face made of formulas."""

import gzip
import pathlib

import numpy as np
import pytest

pytest.importorskip("scipy")

from training import (  # noqa: E402
    artists,
    augment,
    averages,
    closing,
    contact,
    geometry,
    landmarks,
    makehuman,
    margins,
    picture,
    rigs,
    slots,
    warps,
)
from training.tests import synthetic  # noqa: E402


def test_there_are_52_units_14_visemes_and_6_emotions_without_repeats() -> None:
    assert (len(slots.ARKIT), len(slots.VISEMES), len(slots.EMOTIONS)) == (52, 14, 6)
    assert len(set(slots.SLOTS)) == 72
    assert slots.SLOTS[0] == "browDownLeft" and slots.SLOTS[-1] == "emotion_Blink"


def test_mirroring_slots_twice_changes_nothing() -> None:
    mirror = slots.mirror_permutation()
    assert (mirror[mirror] == np.arange(slots.COUNT)).all()
    assert slots.SLOTS[mirror[slots.INDEX["jawLeft"]]] == "jawRight"
    assert mirror[slots.INDEX["viseme_aa"]] == slots.INDEX["viseme_aa"]


def test_recipes_move_both_sides() -> None:
    weights = slots.recipe_weights("emotion_Blink")
    assert weights[slots.INDEX["eyeBlinkLeft"]] == weights[slots.INDEX["eyeBlinkRight"]] == 1
    assert weights.sum() == 2


def write_base(folder: pathlib.Path) -> pathlib.Path:
    """A quad of skin, a triangle of lashes and one of helper geometry, in MakeHuman's axes."""
    path = folder / "base.obj"
    path.write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 5 5 5\nv 0 1 1\n"
        "g joint-ground\nf 1/1 2/1 6/1\ng body\nf 1/1 2/1 3/1 4/1\n"
        "g helper-l-eyelashes-1\nf 1/1 5/1 7/1\n",
        encoding="utf-8",
    )
    return path


def test_base_mesh_is_read_in_metres_without_helpers(tmp_path: pathlib.Path) -> None:
    mesh = makehuman.read_base(write_base(tmp_path))
    assert mesh.part_names == ["skin", "lashes"]
    assert mesh.source.tolist() == [0, 1, 2, 3, 4, 6]
    assert len(mesh.triangles) == 3
    assert mesh.vertices[3] == pytest.approx([0, 0, 0.1])  # (0,1,0) dm, Y up
    assert mesh.vertices[4] == pytest.approx([0, -0.1, 0])  # (0,0,1) dm, forwards


@pytest.mark.parametrize("name", ["smile.target", "smile.target.gz"])
def test_targets_are_read_plain_and_compressed(tmp_path: pathlib.Path, name: str) -> None:
    mesh = makehuman.read_base(write_base(tmp_path))
    text = "# a comment\n6 .1 0 -.2\n5 9 9 9\n"
    path = tmp_path / name
    if name.endswith("gz"):
        with gzip.open(path, "wt") as file:
            file.write(text)
    else:
        path.write_text(text, encoding="utf-8")
    offsets = makehuman.read_target(path, mesh)
    assert offsets[5] == pytest.approx([0.01, 0.02, 0])
    assert np.abs(offsets[:5]).max() == 0


def test_landmarks_are_found_where_the_face_has_them() -> None:
    vertices, _ = synthetic.head()
    found = landmarks.find(vertices, synthetic.expressions(vertices))
    assert set(found) == set(landmarks.NAMES)
    assert np.abs(found["eye_left_upper"][[0, 2]] - synthetic.EYE[[0, 2]]).max() < 0.006
    assert found["eye_right_outer"][0] < found["eye_right_inner"][0] < 0
    assert np.abs(found["mouth"][[0, 2]] - synthetic.MOUTH[[0, 2]]).max() < 0.004
    assert found["mouth_left"][0] == pytest.approx(0.024, abs=0.006)
    assert abs(found["nose"][2] + 0.002) < 0.006
    assert found["chin"][2] < found["mouth"][2]
    mirror = landmarks.mirror_permutation()
    assert landmarks.NAMES[mirror[landmarks.NAMES.index("brow_left_inner")]] == "brow_right_inner"


def test_a_face_without_a_blink_is_refused_by_name() -> None:
    vertices, _ = synthetic.head()
    with pytest.raises(ValueError, match="eyeBlinkLeft"):
        landmarks.find(vertices, {"viseme_aa": np.zeros_like(vertices)})


def test_contact_marks_lips_and_lids_but_not_the_forehead() -> None:
    vertices, _ = synthetic.head(121, 121)
    named = synthetic.expressions(vertices)
    motions = [landmarks.blink_of(named), named["viseme_aa"]]
    weight = contact.contact_weight(vertices, motions, 0.064)
    lip = (np.abs(vertices[:, 2] - synthetic.MOUTH[2]) < 0.0025) & (np.abs(vertices[:, 0]) < 0.02)
    forehead = vertices[:, 2] > 0.075
    assert np.median(weight[lip]) > 0.5
    assert weight[forehead].max() == 0


def test_tear_agrees_with_all_pairs() -> None:
    rng = np.random.default_rng(0)
    points, offsets = rng.random((40, 3)), rng.normal(0, 1, (40, 3))
    expected = np.zeros(40)
    for i in range(40):
        for j in range(40):
            distance = np.linalg.norm(points[i] - points[j])
            if i != j and distance <= 0.3:
                apart = np.linalg.norm(offsets[i] - offsets[j])
                expected[i] = max(expected[i], apart / (distance + 0.15) * 0.15)
    expected = (expected / np.linalg.norm(offsets, axis=1).max()).clip(0, 1)
    assert np.allclose(contact.tear(points, offsets, 0.3), expected)


def test_lid_gap_is_one_at_rest_and_shrinks_with_the_blink() -> None:
    vertices, triangles = synthetic.head(121, 121)
    blink = landmarks.blink_of(synthetic.expressions(vertices))
    parts = contact.connected_parts(triangles, geometry.weld(vertices))
    assert parts.max() == 0
    pairs = contact.lid_columns(vertices, blink, parts)
    assert len(pairs) >= 12
    assert contact.lid_gaps(vertices, 0 * blink, pairs) == pytest.approx(1)
    half = contact.lid_gaps(vertices, 0.5 * blink, pairs)
    full = contact.lid_gaps(vertices, blink, pairs)
    assert half == pytest.approx((1 + full) / 2)
    assert np.abs(full).max() < 0.25


def test_connected_parts_follow_seams_but_not_gaps() -> None:
    triangles = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    groups = np.array([0, 1, 2, 2, 3, 4, 5, 6, 7])  # 2 and 3 are one position
    parts = contact.connected_parts(triangles, groups)
    assert parts[0] == parts[5] != parts[6]


def carried_rig() -> rigs.Rig:
    rig = synthetic.rig()
    rng = np.random.default_rng(5)
    blink = rig.offsets[:, :, slots.INDEX["eyeBlinkLeft"]]
    blink = blink + rig.offsets[:, :, slots.INDEX["eyeBlinkRight"]]
    rig.carried = np.nonzero(np.abs(rig.offsets).sum((0, 2)))[0]
    rig.matrices = rng.normal(0, 1, (2, len(rig.carried), 3, 3)).astype(np.float32)
    rig.lids = np.nonzero(np.abs(blink).sum(0))[0]
    rig.blinks = rng.normal(0, 1, (2, len(rig.lids), 3)).astype(np.float32)
    rig.__post_init__()
    return rig


def test_carried_offsets_are_matrix_times_base_and_the_identitys_own_blink() -> None:
    rig = carried_rig()
    got = rig.all_offsets(1)
    slot = slots.INDEX["viseme_aa"]
    for row, vertex in enumerate(rig.carried[:200]):
        expected = rig.matrices[1, row] @ rig.offsets[:, vertex, slot]
        assert got[vertex, slot] == pytest.approx(expected, abs=1e-6)
    both = got[:, slots.INDEX["emotion_Blink"]]
    sides = got[:, slots.INDEX["eyeBlinkLeft"]] + got[:, slots.INDEX["eyeBlinkRight"]]
    assert np.allclose(both[rig.lids], rig.blinks[1], atol=1e-6)
    assert np.allclose(sides[rig.lids], rig.blinks[1], atol=1e-5)


def test_a_rig_survives_the_disk(tmp_path: pathlib.Path) -> None:
    rig = carried_rig()
    rigs.save(rig, tmp_path / "rig.npz")
    again = rigs.load(tmp_path / "rig.npz")
    assert (again.name, again.style, again.part_names) == (rig.name, rig.style, rig.part_names)
    assert np.array_equal(again.all_offsets(1), rig.all_offsets(1))
    plain = synthetic.rig()
    rigs.save(plain, tmp_path / "plain.npz")
    assert rigs.load(tmp_path / "plain.npz").matrices is None


def sampler(*loaded: rigs.Rig) -> augment.Sampler:
    return augment.Sampler(loaded, landmarks.mirror_permutation())


def test_samples_have_the_promised_shapes_and_repeat_with_the_seed() -> None:
    rig, anime = synthetic.rig(), synthetic.rig("anime", "anime", 0.2)
    draw = sampler(rig, anime).draw
    for seed in range(12):
        head = (rig, anime)[seed % 2]
        first, second = (draw(np.random.default_rng(seed), head, 256) for _ in range(2))
        assert np.array_equal(first.points, second.points)
        assert np.array_equal(first.offsets, second.offsets)
        assert first.points.shape == first.normals.shape == (256, 3)
        assert first.offsets.shape == (256, 3, slots.COUNT)
        assert first.marks.shape == (len(landmarks.NAMES), 3)
        for value in vars(first).values():
            assert np.isfinite(value).all()
        assert not first.offsets[first.canonical_weight == 0].any()


def test_a_mirrored_sample_exchanges_left_and_right() -> None:
    draw = sampler(synthetic.rig()).draw
    left, right = landmarks.NAMES.index("eye_left_upper"), landmarks.NAMES.index("eye_right_upper")
    blink = slots.INDEX["eyeBlinkLeft"]
    for seed in range(12):
        sample = draw(np.random.default_rng(seed), synthetic.rig(), 800)
        assert sample.marks[left, 0] > sample.marks[right, 0]
        size = np.linalg.norm(sample.offsets[:, :, blink], axis=1)
        if size.max() > 0:
            center = (sample.points * size[:, None]).sum(0) / size.sum()
            assert np.linalg.norm(center - sample.marks[left]) < np.linalg.norm(
                center - sample.marks[right]
            )


def test_warped_offsets_follow_the_warp() -> None:
    rng = np.random.default_rng(8)
    marks = warps.FaceUnits.of(synthetic.rig().marks[0])(synthetic.rig().marks[0])
    points = rng.normal(0, 0.5, (300, 3))
    motion = rng.normal(0, 1, (300, 3))
    for strength in (0.2, 0.9, 1.5):
        warp = warps.proportions(rng, warps.named_marks(marks), strength, True)
        _, matrices = geometry.jacobian(warp, points, 1e-3)
        step = 1e-4
        expected = (warp(points + step * motion) - warp(points - step * motion)) / (2 * step)
        got = np.einsum("nab,nb->na", matrices, motion)
        error = np.linalg.norm(got - expected, axis=1) / np.linalg.norm(expected, axis=1)
        assert np.median(error) < 0.01 and np.percentile(error, 95) < 0.05


def test_the_nearer_triangle_hides_the_farther_one() -> None:
    square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], float)
    points = np.concatenate([square, 0.5 * square + [0, -1, 0]])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    part = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    image = picture.render(points, triangles, part, np.zeros(3), 4.0, 64).astype(int)
    assert image[2, 2].tolist() == [34, 34, 34]
    assert image[32, 32, 2] > image[32, 32, 0]  # the small blue square in front
    assert image[20, 20, 0] > image[20, 20, 2]  # the large one around it


def test_margins_are_the_rims_that_the_blink_and_the_open_mouth_show() -> None:
    vertices, triangles = synthetic.head(121, 121)
    named = synthetic.expressions(vertices)
    found = margins.labels(vertices, triangles, named)
    assert found.shape == (len(vertices), margins.COUNT)
    assert found.min() >= 0 and found.max() == 1
    upper_lid, lower_lid, upper_lip, lower_lip = (vertices[found[:, k] > 0.9] for k in range(4))
    eye, mouth = synthetic.EYE, synthetic.MOUTH
    step = 0.004  # two rows of the mesh
    assert np.abs(upper_lid[:, 2] - eye[2]).max() < 2 * step
    assert (lower_lid[:, 2] < eye[2] + 1e-6).all() and (upper_lid[:, 2] > eye[2]).all()
    assert {True, False} == set(upper_lid[:, 0] > 0) == set(lower_lid[:, 0] > 0)
    for lip, sign in ((upper_lip, 1), (lower_lip, -1)):
        lip = lip[np.abs(lip[:, 0]) < 0.02]  # the formula's jaw tears the skin at its sides too
        assert len(lip) and ((lip[:, 2] - mouth[2]) * sign > -1e-6).all()
        assert np.abs(lip[:, 2] - mouth[2]).max() < 2 * step


def test_what_closes_is_measured_against_the_opening_at_rest() -> None:
    vertices = np.array([[0, 0, 1.0], [0, 0, 0.0], [5, 5, 5]])
    upper, lower = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    offsets = np.array([[0, 0, -0.75], [0, 0, 0], [1, 1, 1]])
    assert closing.share_closed(vertices, offsets, upper, lower) == pytest.approx(0.75)








def test_samples_take_the_convention_that_was_asked_for() -> None:
    rig = carried_rig()
    rig.averages = np.stack([rig.offsets * 2, rig.offsets * 3]).astype(np.float16)
    rig.average_weight = np.ones((2, slots.COUNT), np.float32)
    every, slot = np.arange(len(rig.part)), slots.INDEX["viseme_aa"]
    own = rig.offsets_of(1, every)[..., slot]
    anime = rig.offsets_of(1, every, averages.ANIME)[..., slot]
    assert np.allclose(anime, 3 * own, atol=2e-3 * np.abs(own).max())


def test_neighbours_share_an_edge() -> None:
    rig = synthetic.rig()
    draw = augment.Neighbors(rig.triangles, len(rig.part) + 1)  # the last vertex has no triangle
    vertices = np.arange(len(rig.part) + 1)
    edges = {tuple(t[[a, b]]) for t in rig.triangles for a in range(3) for b in range(3) if a != b}
    seen = set()
    for seed in range(3):
        found = draw(np.random.default_rng(seed), vertices)
        assert found[-1] == vertices[-1]
        assert all((a, b) in edges for a, b in zip(vertices[:-1], found[:-1]))
        seen |= set(zip(vertices[:-1].tolist(), found[:-1].tolist()))
    assert len(seen) > 2 * len(rig.part)


def test_the_second_half_of_a_sample_lies_beside_the_first() -> None:
    rig = synthetic.rig()
    edge = 0.012  # metres; the longest of the mesh
    for seed in range(6):
        sample = sampler(rig).draw(np.random.default_rng(seed), rig, 200)
        assert sample.joined.shape == (100,)
        first, second = (sample.canonical[k * 100 : k * 100 + 100] * 0.05 for k in (0, 1))
        near = np.linalg.norm(first - second, axis=1)
        assert near[sample.joined > 0].max() < edge


def test_every_artist_has_a_licence_and_a_credit_and_unknown_files_are_refused() -> None:
    assert sum(artist.share for artist in artists.ARTISTS) == pytest.approx(1, abs=0.03)
    for artist in artists.ARTISTS:
        assert artist.licence and artist.credit and artist.style in ("human", "anime")
    assert artists.of_file("valid_white_m_2").name == "VALID"
    with pytest.raises(ValueError, match="stranger.npz.*licence"):
        artists.of_file("stranger")


def test_a_mirror_shows_left_as_right_and_twice_is_nothing() -> None:
    rig = synthetic.rig()
    mark_mirror = landmarks.mirror_permutation()
    sample = sampler(rig).draw(np.random.default_rng(3), rig, 400)
    other = augment.mirrored(sample, mark_mirror)
    left, right = slots.INDEX["eyeBlinkLeft"], slots.INDEX["eyeBlinkRight"]
    assert np.allclose(other.offsets[:, :, left], sample.offsets[:, :, right] * [-1, 1, 1])
    mark = landmarks.NAMES.index("mouth_left")
    assert np.allclose(other.marks[mark], sample.marks[mark_mirror[mark]] * [-1, 1, 1])
    for name, value in vars(augment.mirrored(other, mark_mirror)).items():
        assert np.allclose(value, getattr(sample, name)), name
