# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings, their cures, and what the user reads."""

from __future__ import annotations

import re

import numpy as np
import pytest
from core import checks, plan, provenance
from core.expressions import keys_of_set
from core.messages import TEXTS, Message, from_call_error
from fakes import CallError


def codes(facts: checks.Facts) -> list[str]:
    return [f.message.code for f in checks.check_object(facts)]


def test_good_object_has_no_findings() -> None:
    assert codes(checks.Facts("Face", modifiers=[("Armature", "ARMATURE")])) == []


@pytest.mark.parametrize(
    ("change", "code", "blocks", "cure"),
    [
        ({"in_edit_mode": True}, "edit_mode", True, "cure_object_mode"),
        ({"triangle_count": 0}, "no_triangles", True, "cure_leave_out"),
        ({"linked": True}, "linked", True, "cure_make_local"),
        ({"flat": True}, "flat", True, ""),
        ({"finite": False}, "not_finite", True, ""),
        ({"modifiers": [("M", "MIRROR")]}, "mirrored", True, "cure_apply_mirror"),
        ({"modifiers": [("M", "MIRROR")], "has_keys": True}, "mirrored_keys", True, ""),
        ({"modifiers": [("S", "SUBSURF")]}, "changes_topology", False, "cure_apply_modifier"),
        (
            {"modifiers": [("S", "SUBSURF")], "has_keys": True},
            "changes_topology_keys",
            False,
            "",
        ),
        ({"other_users": 2}, "shared_data", False, "cure_single_user"),
        ({"absolute_keys": True}, "absolute_keys", True, "cure_relative_keys"),
    ],
)
def test_each_finding(change, code, blocks, cure) -> None:
    (finding,) = checks.check_object(checks.Facts("Face", **change))
    assert (finding.message.code, finding.blocks, finding.cure) == (code, blocks, cure)
    assert "Face" in str(finding.message)


def face(count: int = 3000) -> np.ndarray:
    """Symmetric from left to right, not from front to back; the nose low in front."""
    rng = np.random.default_rng(1)
    half = rng.normal(size=(count // 2, 3))
    half /= np.linalg.norm(half, axis=1)[:, None]
    half *= [0.08, 0.1, 0.12]
    front = half[:, 1] < 0
    half[front, 1] *= 0.5
    nose = front & (np.abs(half[:, 0]) < 0.02) & (np.abs(half[:, 2] + 0.03) < 0.02)
    half[nose, 1] -= 0.11
    return np.concatenate([half, half * [-1, 1, 1]]).astype(np.float32)


def joint_codes(positions: np.ndarray) -> list[str]:
    return [f.message.code for f in checks.check_joint(positions, "Face")]


def test_good_face_has_no_findings() -> None:
    assert joint_codes(face()) == []


@pytest.mark.parametrize(("turn", "facing"), [((0, -1), "-X"), ((0, 1), "+X")])
def test_sideways_face_is_noticed(turn, facing) -> None:
    positions = face()
    sine = turn[1]
    turned = np.stack([-sine * positions[:, 1], sine * positions[:, 0], positions[:, 2]], axis=1)
    found = checks.check_joint(turned.astype(np.float32), "Face")
    assert [f.message.code for f in found] == ["wrong_way"]
    assert found[0].message.params["facing"] == facing


def test_half_a_face_is_noticed() -> None:
    positions = face()
    assert "lopsided" in joint_codes(positions[positions[:, 0] > -0.02])


def test_size_of_the_head() -> None:
    assert joint_codes(face() * 10) == ["too_large"]
    assert joint_codes(face() * 0.1) == ["too_small"]
    assert checks.human_size_factor(face() * 10) == pytest.approx(0.25 / 2.4, rel=0.05)
    assert joint_codes(np.zeros((0, 3))) == ["empty_region"]


def test_every_message_can_be_shown() -> None:
    for code, (severity, text, cure) in TEXTS.items():
        assert severity in ("error", "warning", "info")
        names = set(re.findall(r"{(\w+)", text + cure))
        params = {n: 1.0 if n in ("height", "score") else "x" for n in names}
        assert Message(code, params).text()
        assert cure, code
        assert not text.endswith("."), code


def test_unreachable_names_the_address() -> None:
    message = from_call_error(CallError("UNAVAILABLE", "refused"), "127.0.0.1:1")
    assert "127.0.0.1:1" in message.text()


def test_plan_and_removal_follow_the_states() -> None:
    specs = keys_of_set("visemes")[:4]
    existing = {
        "Basis": "hand-made",
        "vrc.v_sil": "hand-made",
        "vrc.v_pp": "generated",
        "vrc.v_ff": "edited",
    }
    decided = plan.plan_keys(specs, existing, basis="Basis")
    assert decided.added == ("vrc.v_th",)
    assert decided.replaced == ("vrc.v_pp",)
    assert decided.kept == ("vrc.v_sil", "vrc.v_ff")
    assert plan.plan_keys(specs, existing, basis="vrc.v_sil", overwrite=True).kept == ("vrc.v_sil",)
    assert plan.removable(existing) == (["vrc.v_pp"], ["vrc.v_ff"])
    assert plan.removable(existing, include_edited=True) == (["vrc.v_pp", "vrc.v_ff"], [])


@pytest.mark.parametrize(
    "text",
    [
        None,
        3,
        "",
        "{",
        "[]",
        '{"format": 9, "keys": {}}',
        '{"format": 1, "keys": {"a": {"expression": "x"}}}',
    ],
)
def test_unreadable_records_make_keys_hand_made(text) -> None:
    assert provenance.load(text) == {}
    assert provenance.state_of(None, 1) == provenance.HAND_MADE


def test_a_mesh_beyond_the_servers_memory_is_told_from_a_busy_server() -> None:
    busy = CallError("RESOURCE_EXHAUSTED", "8 requests wait already")
    assert from_call_error(busy).code == "overloaded"
    large = CallError("RESOURCE_EXHAUSTED", "start it with a larger --memory-budget")
    assert from_call_error(large).code == "too_large_for_memory"
