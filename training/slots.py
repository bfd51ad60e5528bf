# SPDX-License-Identifier: Apache-2.0
"""The model's condition slots: one per output expression, in the order of the ONNX contract."""

from __future__ import annotations

import numpy as np

_ARKIT = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft
eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft
eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose
mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight
mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight
tongueOut
"""

ARKIT: list[str] = _ARKIT.split()
VISEMES: list[str] = ["viseme_" + v for v in "PP FF TH DD kk CH SS nn RR aa E ih oh ou".split()]
EMOTIONS: list[str] = ["emotion_" + e for e in "Joy Angry Sorrow Fun Surprised Blink".split()]
SLOTS: list[str] = ARKIT + VISEMES + EMOTIONS
INDEX: dict[str, int] = {name: i for i, name in enumerate(SLOTS)}
COUNT = len(SLOTS)

# Emotions as mixtures of ARKit units, for data sets whose artists made no emotion shapes. A name
# without a side stands for both sides.
EMOTION_RECIPES: dict[str, dict[str, float]] = {
    "emotion_Joy": dict(
        mouthSmile=0.85, cheekSquint=0.6, eyeSquint=0.6, browOuterUp=0.2, jawOpen=0.1
    ),
    "emotion_Angry": dict(
        browDown=1.0, eyeSquint=0.4, mouthFrown=0.45, noseSneer=0.5, mouthPress=0.3
    ),
    "emotion_Sorrow": dict(browInnerUp=1.0, mouthFrown=0.8, eyeBlink=0.25, mouthShrugLower=0.4),
    "emotion_Fun": dict(
        mouthSmile=0.7, jawOpen=0.2, mouthUpperUp=0.2, browOuterUp=0.3, cheekSquint=0.3
    ),
    "emotion_Surprised": dict(eyeWide=1.0, browInnerUp=0.8, browOuterUp=0.8, jawOpen=0.35),
    "emotion_Blink": dict(eyeBlink=1.0),
}


def kind(slot: str) -> str:
    """ "viseme", "emotion" or "unit"."""
    if slot.startswith("viseme_"):
        return "viseme"
    return "emotion" if slot.startswith("emotion_") else "unit"


def mirror_permutation() -> np.ndarray:
    """(K,) int: the slot that an expression becomes when left and right are exchanged."""
    mirrored = list(range(COUNT))
    for name, i in INDEX.items():
        for side, other in (("Left", "Right"), ("Right", "Left")):
            if name.endswith(side):
                mirrored[i] = INDEX[name[: -len(side)] + other]
    return np.array(mirrored)


def recipe_weights(slot: str) -> np.ndarray:
    """(52,) weights of the ARKit units that make the emotion `slot`."""
    weights = np.zeros(len(ARKIT), np.float32)
    for unit, weight in EMOTION_RECIPES[slot].items():
        names = [unit] if unit in INDEX else [unit + "Left", unit + "Right"]
        for name in names:
            weights[INDEX[name]] = weight
    return weights
