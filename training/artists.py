# SPDX-License-Identifier: Apache-2.0
"""Whose heads the model learns from: one line per artist.

To add an avatar, put its .npz into DATA/avatars (README.md says what it holds) and a line here: its
licence must allow training, and its credit goes into the model card.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Artist:
    name: str
    files: str  # what the names of the artist's files in DATA/avatars begin with
    style: str  # "human" or "anime": whose average a face of this kind is taught
    share: float  # of the training's samples; all heads of an artist share it
    licence: str
    credit: str


ARTISTS = (
    Artist("MakeHuman", "makehuman", "human", 0.40, "CC0 1.0",
           "MakeHuman team; ARKit units and visemes by Mika Suominen"),
    Artist("ICT-FaceKit", "ict", "human", 0.08, "MIT",
           "Copyright (c) 2020 USC Institute for Creative Technologies"),
    Artist("VALID", "valid", "human", 0.09, "MIT", "Copyright (c) 2022 Tiffany Do"),
    Artist("Microsoft Rocketbox", "rocketbox", "human", 0.08, "MIT",
           "Copyright (c) 2020 Microsoft"),
    Artist("seedsan", "seedsan", "anime", 0.11, "VRM Public License 1.0",
           "Seed-san, VirtualCast, Inc. (vrm-c/UniVRM)"),
    Artist("gene", "gene", "anime", 0.11, "CC BY 4.0",
           "CG-CA Gene (c) 2023 by Nagoya Institute of Technology, Moonshot R&D Goal 1 Avatar "
           "Symbiotic Society (mmdagent-ex/gene)"),
    Artist("unitykun", "unitykun", "anime", 0.11, "MIT",
           "UnityKun, Copyright (c) 2023 sallywuzhere; shapes after hinzka's 52 blendshapes for "
           "VRoid"),
    # Measured, never learned from: its metadata grants use only to explicitly licensed persons.
    Artist("vipe_arla", "vipe_arla", "anime", 0.0, "CC BY 4.0", "Arla, VIPE Heroes collection"),
)  # fmt: skip


def of_file(stem: str) -> Artist:
    """The artist of DATA/avatars/STEM.npz."""
    for artist in ARTISTS:
        if stem.startswith(artist.files):
            return artist
    known = ", ".join(artist.files for artist in ARTISTS)
    raise ValueError(
        f"{stem}.npz is of no known artist: training/artists.py has {known}; add a line with the "
        "avatar's licence and credit"
    )
