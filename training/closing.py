# SPDX-License-Identifier: Apache-2.0
"""Which expressions close the lids or seal the lips, for the stage that makes surfaces meet.

The network's field is smooth and falls a little short of contact. The server mends that where the
file's metadata `blendwire.contact` says that an expression is meant to end in contact, from the
margins that the network finds. A number is the part of the opening that goes at full weight.

Measured on the artists' own shapes (`share_closed`): blinks 0.94 to 1.04; Joy 0.99 (gene,
Seed-san), 0.55 (UnityKun), 0.00 (Arla), so the median, 1; Fun 0.99 and 0.17, where nothing can be
said; Angry 0.05 to 0.17, Sorrow 0.14 to 0.23, squints 0.15 to 0.65, none of which ends in contact.
PP leaves lips as near to each other as they rest, or nearer, with every artist. mouthClose has no
entry: as a shape key of its own it pushes closed lips past each other, so that they meet once
jawOpen is added.
"""

from __future__ import annotations

import numpy as np

CONTACT: dict[str, dict[str, float]] = {
    "eyeBlinkLeft": {"left_lid": 1.0, "right_lid": 0.0, "lips": 0.0},
    "eyeBlinkRight": {"left_lid": 0.0, "right_lid": 1.0, "lips": 0.0},
    "emotion_Blink": {"left_lid": 1.0, "right_lid": 1.0, "lips": 0.0},
    "emotion_Joy": {"left_lid": 1.0, "right_lid": 1.0, "lips": 0.0, "least_own_lids": 0.5},
    "viseme_PP": {"left_lid": 0.0, "right_lid": 0.0, "lips": 1.0},
}


def share_closed(
    vertices: np.ndarray, offsets: np.ndarray, upper: np.ndarray, lower: np.ndarray
) -> float:
    """The part of an opening's height at rest that `offsets` take away.

    vertices, offsets (N,3); upper, lower (N,) 0..1: how far a vertex belongs to a rim.
    """
    heights = [
        np.average(z, weights=upper**4) - np.average(z, weights=lower**4)
        for z in (vertices[:, 2], vertices[:, 2] + offsets[:, 2])
    ]
    return float(1 - heights[1] / heights[0])
