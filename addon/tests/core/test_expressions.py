# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are what VRChat, VRM, ARKit and MMD look for, to the letter."""

from __future__ import annotations

import pytest
from core import expressions as e
from core.plan import too_long
from names import VISEMES


def keys(set_name: str, **options: object) -> list[str]:
    return [s.key for s in e.keys_of_set(set_name, **options)]  # type: ignore[arg-type]


def test_vrchat_has_exactly_its_fifteen_visemes() -> None:
    assert keys("visemes") == VISEMES


def test_oculus_names() -> None:
    assert keys("visemes", viseme_names="oculus")[:2] == ["viseme_sil", "viseme_PP"]


def test_arkit_has_52_and_no_other_kind() -> None:
    specs = e.keys_of_set("arkit")
    assert len(specs) == 52
    assert {s.request.kind for s in specs} == {"custom"}
    assert "jawOpen" in [s.key for s in specs]


def test_vrm_presets() -> None:
    vrm1 = set(keys("vrm"))
    assert vrm1 == {
        "happy",
        "angry",
        "sad",
        "relaxed",
        "surprised",
        "aa",
        "ih",
        "ou",
        "ee",
        "oh",
        "blink",
        "blinkLeft",
        "blinkRight",
    }
    assert {"Joy", "A", "I", "U", "E", "O", "Blink_L"} <= set(keys("vrm", vrm_names="vrm0"))


def test_emotions_that_a_convention_lacks_keep_their_own_name() -> None:
    assert "Surprised" in keys("emotions", emotion_names="vrm0")


@pytest.mark.parametrize("set_name", e.SETS)
def test_every_request_can_be_answered(set_name: str) -> None:
    for spec in e.keys_of_set(set_name):
        known = e.table()
        if spec.request.weights:
            for unit, weight in spec.request.weights:
                assert known[unit].kind == "custom"
                assert 0 < weight <= 1
        else:
            assert known[spec.request.name].kind == spec.request.kind
    assert not too_long(e.keys_of_set(set_name))


def test_unified_covers_every_arkit_unit() -> None:
    asked = {s.request.name for s in e.keys_of_set("unified")}
    assert asked == {x.name for x in e.table().values() if x.kind == "custom"}


def test_unified_halves_have_both_sides() -> None:
    sides = {s.key: s.side for s in e.keys_of_set("unified") if s.request.name == "cheekPuff"}
    assert sides == {"CheekPuffLeft": "left", "CheekPuffRight": "right"}


def test_mmd_mixture_spells_out_both_sides() -> None:
    spec = next(s for s in e.keys_of_set("mmd") if s.key == "笑い")
    assert dict(spec.request.weights)["eyeBlinkLeft"] == 0.9
    assert dict(spec.request.weights)["eyeBlinkRight"] == 0.9


def test_find_understands_all_conventions() -> None:
    assert e.find("VRC.V_AA").name == "aa"
    assert e.find("happy").name == "Joy"
    with pytest.raises(KeyError, match="jawOpenn"):
        e.find("jawOpenn")


def test_split_gives_halves_only_where_there_are_none() -> None:
    blink = next(s for s in e.keys_of_set("emotions") if s.key == "Blink")
    assert [(s.key, s.side) for s in e.split_sides(blink)] == [
        ("Blink_L", "left"),
        ("Blink_R", "right"),
    ]
    left = next(s for s in e.keys_of_set("arkit") if s.key == "jawLeft")
    assert e.split_sides(left) == [left]


def test_keys_of_several_sets_share_predictions() -> None:
    specs = e.keys_of_set("arkit") + e.keys_of_set("unified")
    assert len(e.requests_of(specs)) == 52


def test_unique_keeps_the_first() -> None:
    specs = e.unique(e.keys_of_set("visemes") + e.keys_of_set("visemes"))
    assert len(specs) == 15
