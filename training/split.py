# SPDX-License-Identifier: Apache-2.0
"""What is trained on, how much of it, and what only evaluation sees."""

from __future__ import annotations

# Share of the samples per artist; an artist's heads share it
SHARES = {
    "MakeHuman": 0.45,
    "ICT-FaceKit": 0.09,
    "VALID": 0.09,
    "Microsoft Rocketbox": 0.07,
    "seedsan": 0.10,
    "gene": 0.10,
    "unitykun": 0.10,
}

# Heads that training never sees. vipe_arla also because its own metadata grants use only to
# explicitly licensed persons, beside its CC BY: measured, not learned from.
HELD_OUT = ("valid_asian_f_2", "valid_white_m_2", "rocketbox_male08", "vipe_arla")

# Identities of the synthesised rigs that training may draw; evaluation takes those behind
TRAIN_IDENTITIES = {"makehuman": 400, "ict": 150}
