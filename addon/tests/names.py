# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests with and without a Blender expect keys to be called."""

from __future__ import annotations

VISEMES = [
    "vrc.v_sil",
    "vrc.v_pp",
    "vrc.v_ff",
    "vrc.v_th",
    "vrc.v_dd",
    "vrc.v_kk",
    "vrc.v_ch",
    "vrc.v_ss",
    "vrc.v_nn",
    "vrc.v_rr",
    "vrc.v_aa",
    "vrc.v_e",
    "vrc.v_ih",
    "vrc.v_oh",
    "vrc.v_ou",
]
"""VRChat's, to the letter."""
