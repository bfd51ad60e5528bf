# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: which tiles it has, and that a tile shows its target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import contact_sheet
import glb

_HEAD = Path(__file__).resolve().parents[2] / "assets" / "demo_head.glb"
_TILE = 64


@pytest.fixture(scope="module")
def morphed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo head's skin, with a target that lowers the chin and one that moves nothing."""
    head = [p for p in glb.read(_HEAD).primitives if p.node == "Head"]
    for primitive in head:
        chin = np.exp(-np.sum(((primitive.positions - [0, 1.47, 0.09]) / 0.03) ** 2, axis=1))
        offsets = np.zeros_like(primitive.positions)
        offsets[:, 1] = -0.02 * np.where(chin > 1e-3, chin, 0)
        primitive.targets = {"vrc.v_aa": offsets, "Joy": np.zeros_like(offsets),
                             "jawOpen": offsets}
    writer = glb.Writer({})
    mesh = writer.add_mesh("Head", head, [writer.add_material(p.material) for p in head])
    writer.add_node("Head", mesh=mesh)
    path = tmp_path_factory.mktemp("morphed") / "morphed.glb"
    writer.write(path)
    return path


def _tile(sheet: Image.Image, group: int, column: int) -> np.ndarray:
    """The pixels of a tile, when each group has one row."""
    height = round(_TILE * contact_sheet._ASPECT)
    left = contact_sheet._MARGIN + column * (_TILE + contact_sheet._GAP)
    row = height + contact_sheet._LABEL_HEIGHT + contact_sheet._GAP
    top = (contact_sheet._MARGIN + (group + 1) * contact_sheet._HEADING_HEIGHT + group * row)
    return np.asarray(sheet.crop((left, top, left + _TILE, top + height)), np.int16)


def test_draws_neutral_and_every_target_in_groups(morphed: Path, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "sheet.png"
    assert contact_sheet.main([str(morphed), str(output), "--tile", str(_TILE)]) == 0
    assert "4 tiles" in capsys.readouterr().out
    sheet = Image.open(output)
    neutral, open_mouth = _tile(sheet, 0, 0), _tile(sheet, 0, 1)
    still, jaw = _tile(sheet, 1, 0), _tile(sheet, 2, 0)
    assert neutral.std() > 20  # a face, and no empty tile
    assert (np.abs(open_mouth - neutral).max(axis=2) > 24).sum() > 30
    np.testing.assert_array_equal(still, neutral)
    np.testing.assert_array_equal(jaw, open_mouth)
    # The tile's frame lies outside of what moves.
    assert np.abs(open_mouth - neutral)[:4].max() <= 6


def test_groups_names() -> None:
    names = ["jawOpen", "vrc.v_aa", "Joy", "vrc.v_pp", "Blink", "viseme_O", "Surprised"]
    assert contact_sheet.grouped(names) == [
        ("Visemes", ["vrc.v_aa", "vrc.v_pp", "viseme_O"]), ("Emotions", ["Joy", "Blink", "Surprised"]),
        ("Others", ["jawOpen"])]
    assert contact_sheet.grouped([]) == []


@pytest.mark.parametrize("region", ["mouth", "eyes"])
def test_close_ups_aim_at_the_region(region: str) -> None:
    face = contact_sheet.Face.of(glb.read(_HEAD))
    whole = contact_sheet.frame(face, None, 0, 1)
    close = contact_sheet.frame(face, region, 0, 1)
    assert close.height < whole.height / 2
    lower, upper = (1.46, 1.53) if region == "mouth" else (1.54, 1.58)
    assert lower < close.target[1] < upper


def test_a_wrong_name_is_answered_with_the_near_ones(
        morphed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "sheet.png"
    assert contact_sheet.main([str(morphed), str(output), "--names", "jawOpne"]) == 1
    assert "no morph target 'jawOpne'; near it: jawOpen" in capsys.readouterr().err
    assert not output.exists()
