# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a face: lids on their sides, a jaw that goes down, lips that part."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import head, sphere
from core.face_evidence import PROBES, face_evidence, lips_parting_steps
from fakes import head_offsets


def motions(positions: np.ndarray) -> dict[str, np.ndarray]:
    return {name: head_offsets(name, positions) for name in PROBES}


def parting(positions: np.ndarray, jaw: np.ndarray) -> float:
    return list(lips_parting_steps(positions, jaw))[-1]


def test_a_face_is_one() -> None:
    positions, _ = head()
    assert face_evidence(positions, motions(positions)) > 0.9


def test_lids_on_the_wrong_sides() -> None:
    positions, _ = head()
    good = motions(positions)
    swapped = {**good, "eyeBlinkLeft": good["eyeBlinkRight"], "eyeBlinkRight": good["eyeBlinkLeft"]}
    assert face_evidence(positions, swapped) == 0


def test_a_jaw_that_goes_up() -> None:
    positions, _ = head()
    good = motions(positions)
    assert face_evidence(positions, {**good, "jawOpen": -good["jawOpen"]}) == 0


def test_motion_everywhere_or_nowhere() -> None:
    positions, _ = head()
    everywhere = {n: np.full_like(positions, -0.01) for n in PROBES}
    assert face_evidence(positions, everywhere) == 0
    assert face_evidence(positions, {n: o * 0 for n, o in everywhere.items()}) == 0


def test_nothing_to_judge() -> None:
    positions, _ = head()
    assert face_evidence(positions, {}) is None


def test_a_muzzle_without_a_mouth() -> None:
    """The jaw's motion fades smoothly towards the nose: nothing parts, the skin only stretches."""
    positions, _ = sphere(96, 128)
    good = motions(positions)
    fading = np.clip((-0.01 - positions[:, 2]) / 0.06, 0, 1)
    front = np.exp(-((positions[:, :2] - [0, -0.09]) ** 2).sum(axis=1) / 0.06**2)
    jaw = np.zeros_like(positions)
    jaw[:, 2] = -0.02 * fading * front
    assert face_evidence(positions, {**good, "jawOpen": jaw}) == 0


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("amount", [0.5, 0.9, 1.0])
def test_parting_is_the_lips_difference_whatever_the_size(scale: float, amount: float) -> None:
    positions, _ = head()
    below = positions[:, 2] < -0.039
    jaw = np.zeros_like(positions)
    jaw[:, 2] = np.where(below, -0.02, -0.02 * (1 - amount))
    measured = parting((positions * scale).astype(np.float32), (jaw * scale).astype(np.float32))
    assert measured == pytest.approx(amount, abs=0.051)
