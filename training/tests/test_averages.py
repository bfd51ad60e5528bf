# SPDX-License-Identifier: Apache-2.0
"""Labels averaged over artists, on a face made of formulas."""

import pathlib

import numpy as np
import pytest

pytest.importorskip("scipy")

from training import averages, rigs, slots  # noqa: E402
from training.tests import synthetic  # noqa: E402


def test_an_average_carries_a_faces_own_motion_onto_a_warped_copy() -> None:
    source = synthetic.rig("source", "human")
    target = synthetic.rig("target", "human")
    stretch = np.array([1.15, 0.95, 0.9])
    target.identities = (target.identities * stretch).astype(np.float32)
    target.offsets = target.offsets * stretch[:, None, None].astype(np.float32)
    faces = [averages.Face.of(rig) for rig in (source, target)]
    slot = slots.INDEX["viseme_aa"]
    got = averages.carry(faces[0], faces[1], np.array([slot]))[:, :, 0]
    want = target.offsets[:, :, slot]
    cosine = (got * want).sum() / np.linalg.norm(got) / np.linalg.norm(want)
    assert cosine > 0.93
    assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(want), rel=0.15)


def test_averages_keep_blinks_and_still_parts_and_vote_by_artist(tmp_path: pathlib.Path) -> None:
    loud, quiet = synthetic.rig("loud"), synthetic.rig("quiet")
    aa = slots.INDEX["viseme_aa"]
    loud.offsets[:, :, aa] *= 4
    averages.attach([loud, quiet], tmp_path / "averages.npz")
    own = np.linalg.norm(quiet.offsets[:, :, aa])
    mean = np.linalg.norm(quiet.averages[averages.HUMAN][:, :, aa].astype(float))
    assert mean == pytest.approx(2 * own, rel=0.1)  # the geometric mean of 1 and 4
    blink = slots.INDEX["eyeBlinkLeft"]
    same = quiet.averages[averages.ANIME][:, :, blink]
    assert np.array_equal(same, quiet.offsets[:, :, blink].astype(np.float16))
    still = quiet.activity == 0
    assert not quiet.averages[:, :, still].any()
    again = synthetic.rig("quiet")
    averages.attach([again], tmp_path / "averages.npz")
    assert np.array_equal(again.averages, quiet.averages)


def test_human_vowels_and_anime_emotions_are_everybodys_the_rest_is_the_styles_own() -> None:
    human, anime = synthetic.rig("human", "human"), synthetic.rig("anime", "anime")
    aa, jaw, joy = (slots.INDEX[name] for name in ("viseme_aa", "jawOpen", "emotion_Joy"))
    for rig in (human, anime):
        rig.offsets[:, :, joy] = rig.offsets[:, :, jaw]
        rig.slot_weight[joy] = 1
    anime.offsets *= 4
    faces = [averages.Face.of(rig) for rig in (human, anime)]
    for face, style, shared in ((faces[0], "human", aa), (faces[1], "anime", joy)):
        offsets, weight = averages.style_mean(face, faces, style)
        for slot in (aa, jaw, joy):
            size = np.linalg.norm(offsets[:, :, slot]) / np.linalg.norm(human.offsets[:, :, slot])
            own = 1 if style == "human" else 4
            # 2 is the geometric mean of 1 and 4; carrying costs or adds a little
            assert size == pytest.approx(2 if slot == shared else own, rel=0.2)
        assert weight[[aa, jaw, joy]] == pytest.approx(1)
    assert averages.style_mean(faces[0], faces[:1], "anime") is None


def with_eyeball() -> rigs.Rig:
    """The face with a small sheet in the left eye's opening, which looks but does not blink."""
    rig = synthetic.rig()
    u, v = np.meshgrid(np.linspace(-0.008, 0.008, 5), np.linspace(-0.008, 0.008, 5))
    ball = np.stack([u.ravel(), 0 * u.ravel() + 0.004, v.ravel()], 1) + synthetic.EYE
    number = np.arange(25).reshape(5, 5)
    a, b, c, d = (
        q.ravel() for q in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1])
    )
    sheet = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]) + len(rig.part)
    look = np.zeros((3, 25, slots.COUNT), np.float32)
    look[0, :, slots.INDEX["eyeLookOutLeft"]] = 0.002
    rig.offsets = np.concatenate([rig.offsets, look], 1)
    rig.slot_weight[slots.INDEX["eyeLookOutLeft"]] = 1
    rig.identities = np.concatenate([rig.identities, np.stack([ball, ball * 1.1])], 1).astype("f4")
    rig.triangles = np.concatenate([rig.triangles, sheet])
    rig.part = np.zeros(rig.identities.shape[1], int)
    rig.activity = np.concatenate([rig.activity, np.ones(25, np.float32)])
    return rig


def test_eyeballs_get_no_motion_from_other_artists_lids() -> None:
    rig, other = with_eyeball(), synthetic.rig("other", "anime")
    other.offsets[:, :, slots.INDEX["emotion_Joy"]] = other.offsets[
        :, :, [slots.INDEX["eyeBlinkLeft"], slots.INDEX["eyeBlinkRight"]]
    ].sum(2)
    other.slot_weight[slots.INDEX["emotion_Joy"]] = 1
    target = averages.Face.of(rig)
    found = averages.eyeballs(target)
    assert found[-25:].all() and not found[:-25].any()
    offsets, weight = averages.of_rig(target, [target, averages.Face.of(other)])
    joy, look = slots.INDEX["emotion_Joy"], slots.INDEX["eyeLookOutLeft"]
    assert weight[averages.ANIME][joy] == 1
    lids = offsets[averages.ANIME][:, :-25, joy]
    assert np.abs(lids).max() > 0.5 * synthetic.LID_TRAVEL
    assert not offsets[averages.ANIME][:, -25:, joy].any()
    assert np.allclose(offsets[averages.HUMAN][0, -25:, look], 0.002, atol=1e-5)
