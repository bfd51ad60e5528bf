# SPDX-License-Identifier: Apache-2.0
"""Figures of the model card, against cases whose answer is known."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from training import evaluate, measures, report, slots  # noqa: E402
from training.tests import synthetic  # noqa: E402


@pytest.fixture(scope="module")
def head() -> measures.Head:
    return measures.Head.of(synthetic.rig(), 0, whole=True)


def test_the_artists_own_shapes_are_perfect(head: measures.Head) -> None:
    figures = measures.all_figures(head, head.truth)
    assert set(figures["fields"]) == set(head.known())
    for values in figures["fields"].values():
        assert values == pytest.approx({"cos": 1, "rel": 0, "strength": 1}, abs=1e-6)
    assert figures["spill"] < 2e-3  # what counts as still may move by less than a 250th
    assert figures["travel"] == pytest.approx(1)
    assert figures["gap"] == pytest.approx(figures["gap_artist"])
    assert figures["open_aa"] == pytest.approx(1)
    assert figures["folds_aa"] == 0
    assert figures["stretched"] == figures["stretched_artist"]


def test_a_weak_field_keeps_its_direction_and_shows_its_strength(head: measures.Head) -> None:
    figures = measures.all_figures(head, 0.6 * head.truth)
    for values in figures["fields"].values():
        assert values == pytest.approx({"cos": 1, "rel": 0.4, "strength": 0.6}, abs=1e-5)
    assert figures["travel"] == pytest.approx(0.6, abs=1e-5)
    assert figures["open_aa"] == pytest.approx(0.6, abs=1e-5)
    left = 1 - 0.6 * (1 - figures["gap_artist"])
    assert figures["gap"] == pytest.approx(left, abs=1e-5)


def test_spill_is_the_share_on_vertices_that_never_move(head: measures.Head) -> None:
    still = head.rig.activity[head.index] < 0.004
    slot = slots.INDEX["viseme_aa"]
    predicted = head.truth.copy()
    for name in head.known():
        size = np.linalg.norm(head.truth[:, slots.INDEX[name]], axis=1).sum()
        predicted[still, slots.INDEX[name]] = [0, size / still.sum(), 0]
    assert measures.spill(head, predicted) == pytest.approx(0.5, abs=1e-3)
    assert not head.truth[still, slot].any()


def test_folds_and_stretches_are_counted() -> None:
    rest = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 1.0]])
    triangles = np.array([[0, 1, 2], [1, 3, 2]])
    turned = rest.copy()
    turned[3] = [-0.5, 0, -0.5]
    assert measures.folded(rest, rest * 3 + 1, triangles).tolist() == [False, False]
    assert measures.folded(rest, turned, triangles).tolist() == [False, True]
    sheared = rest.copy()
    sheared[3] = [1, 0, 1.6]
    assert measures.folded(rest, sheared, triangles).tolist() == [False, False]
    sheared[3] = [6, 0, -4.5]
    assert measures.folded(rest, sheared, triangles)[1]


def figures(cosine: float, unseen: bool, style: str = "anime") -> dict:
    field = {"cos": cosine, "rel": 1 - cosine, "strength": 1.2}
    return {
        "style": style,
        "unseen": unseen,
        "fields": {"viseme_aa": field, "emotion_Joy": field, "jawOpen": field},
        "stretched": 3,
        "spill": 0.1,
    }


def test_the_report_takes_each_head_from_the_model_that_did_not_see_it() -> None:
    main = {"gene": figures(0.9, False), "makehuman": figures(0.95, True, "human")}
    left = {"gene": figures(0.6, True), "seedsan": figures(0.99, False)}
    rows = {what: reached for what, reached, _ in report.rows(main, [left])}
    assert rows["anime, left-out artists: visemes / emotions"] == "0.60 / 0.60"
    assert rows["anime, 50 ARKit units (gene left out)"] == "0.60"
    assert rows["unseen MakeHuman identities: ARKit / visemes; ICT: ARKit"] == "0.95 / 0.95; -"
    assert "anime visemes 1.20" in rows["strength, median (least to largest)"]


def test_hair_lies_behind_the_face_and_faces_its_normals(head: measures.Head) -> None:
    vertices, normals, triangles = evaluate.with_hair(head)
    count = len(head.vertices)
    assert np.array_equal(vertices[:count], head.vertices.astype(np.float32))
    assert len(vertices) > 1.5 * count
    strands = triangles[len(head.triangles) :]
    assert strands.min() == count and strands.max() == len(vertices) - 1
    facing = measures._facing(vertices.astype(float), strands)
    assert ((facing * normals[strands[:, 0]]).sum(1) > 0.99).all()
