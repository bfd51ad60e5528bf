# SPDX-License-Identifier: Apache-2.0
"""What is trained on, how much of it, and what only evaluation sees."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from . import rigs
from .artists import ARTISTS

# Share of the samples per artist; an artist's heads share it
SHARES = {artist.name: artist.share for artist in ARTISTS if artist.share > 0}

# Heads that training never sees
HELD_OUT = ("valid_asian_f_2", "valid_white_m_2", "rocketbox_male08", "vipe_arla")

# Identities of the synthesised rigs that training may draw; evaluation takes those behind
TRAIN_IDENTITIES = {"makehuman": 400, "ict": 150}


def load_rigs(cache: pathlib.Path, leave: Sequence[str] = ()) -> list[rigs.Rig]:
    """The rigs to train on, without what is held out and without the artists `leave`."""
    loaded = []
    for path in sorted(cache.glob("*.npz")):
        if path.stem in HELD_OUT:
            continue
        rig = rigs.load(path)
        if rig.artist in leave:
            continue
        keep = TRAIN_IDENTITIES.get(rig.name)
        if keep:
            rig.identities, rig.normals = rig.identities[:keep], rig.normals[:keep]
            rig.marks = rig.marks[:keep]
        loaded.append(rig)
    return loaded
