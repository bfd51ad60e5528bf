# SPDX-License-Identifier: Apache-2.0
"""What is trained on, how much of it, and what only evaluation sees."""

from __future__ import annotations

from .artists import ARTISTS

# Share of the samples per artist; an artist's heads share it
SHARES = {artist.name: artist.share for artist in ARTISTS if artist.share > 0}

# Heads that training never sees
HELD_OUT = ("valid_asian_f_2", "valid_white_m_2", "rocketbox_male08", "vipe_arla")

# Identities of the synthesised rigs that training may draw; evaluation takes those behind
TRAIN_IDENTITIES = {"makehuman": 400, "ict": 150}
