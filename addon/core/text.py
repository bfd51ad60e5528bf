# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks texts into lines for the panel, whose labels do not do it by themselves."""

from __future__ import annotations

import unicodedata

# Nothing of these begins a line.
_CLOSING = "、。，．：；！？）」』】,.:;!?)"


def width_of(text: str) -> int:
    """In columns: characters of East Asia are two wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pieces(text: str) -> list[str]:
    """What must stay together: words with the space after them, single wide characters."""
    pieces: list[str] = []
    for character in text:
        wide = width_of(character) == 2
        joined = pieces and (
            character in _CLOSING
            or (not wide and not pieces[-1].endswith(" ") and width_of(pieces[-1][-1]) == 1)
        )
        if joined:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` columns, where the words allow it; longer words are cut."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        while width_of(line + piece.rstrip()) > columns:
            if line.strip():
                lines.append(line.rstrip())
                line = ""
            else:
                lines.append(piece[:columns])
                piece = piece[columns:]
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines
