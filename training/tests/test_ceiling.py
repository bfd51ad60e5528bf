# SPDX-License-Identifier: Apache-2.0
"""What the other artists know of a head, where the answer is known."""

import pathlib
import sys

import numpy as np
import pytest

pytest.importorskip("scipy")

from training import averages, ceiling, measures, rigs, slots  # noqa: E402
from training.tests import synthetic  # noqa: E402


def faces(*loaded: rigs.Rig) -> list[averages.Face]:
    return [averages.Face.of(rig) for rig in loaded]


def test_an_artist_who_does_the_same_knows_everything() -> None:
    target = synthetic.rig("target")
    guess = ceiling.best_guess(*faces(target), faces(synthetic.rig("other")))
    found = ceiling.cosines(measures.Head.of(target, 0, whole=True), guess)
    assert set(found) == {"viseme", "unit"}
    assert found == pytest.approx({"viseme": 1, "unit": 1}, abs=0.02)


def test_an_artist_who_does_the_opposite_misleads() -> None:
    target, other = synthetic.rig("target"), synthetic.rig("other")
    other.offsets[:, :, slots.INDEX["browOuterUpLeft"]] *= -1
    guess = ceiling.best_guess(*faces(target), faces(other))
    found = ceiling.cosines(measures.Head.of(target, 0, whole=True), guess)
    assert found == pytest.approx({"viseme": 1, "unit": (4 - 1) / 5}, abs=0.02)


def test_the_other_style_lends_what_the_own_one_lacks_and_nobody_has_is_left_out() -> None:
    target, same, foreign = (
        synthetic.rig(name, style)
        for name, style in (("target", "anime"), ("same", "anime"), ("foreign", "human"))
    )
    aa, jaw, brow = (slots.INDEX[n] for n in ("viseme_aa", "jawOpen", "browOuterUpLeft"))
    same.offsets[:, :, jaw] *= 2
    same.slot_weight[[aa, brow]] = 0
    foreign.slot_weight[brow] = 0
    guess = ceiling.best_guess(*faces(target), faces(same, foreign))
    own = np.linalg.norm(target.offsets[:, :, jaw])
    assert np.linalg.norm(guess[:, jaw]) == pytest.approx(2 * own, rel=0.05)
    assert np.isfinite(guess[:, aa]).all() and np.isnan(guess[:, brow]).all()
    head = measures.Head.of(target, 0, whole=True)
    head.rig.slot_weight[:] = 0
    head.rig.slot_weight[brow] = 1
    assert ceiling.cosines(head, guess) == {}


def test_the_command_measures_only_those_left_out(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("kept", "left"):
        rigs.save(synthetic.rig(name), tmp_path / f"{name}.npz")
    monkeypatch.setattr(sys, "argv", ["ceiling", "--cache", str(tmp_path), "--leave", "left"])
    ceiling.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| left"]
    assert float(rows[0].split(" | ")[1]) > 0.98


@pytest.mark.parametrize(
    ("arguments", "named"), [(["--leave", "nobody"], "nobody"),
                             (["--leave", "left", "--heads", "kept"], "kept")],
)  # fmt: skip
def test_who_is_not_there_is_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], named: str
) -> None:
    for name in ("kept", "left"):
        rigs.save(synthetic.rig(name), tmp_path / f"{name}.npz")
    monkeypatch.setattr(sys, "argv", ["ceiling", "--cache", str(tmp_path), *arguments])
    with pytest.raises(SystemExit, match=named):
        ceiling.main()
