# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks texts into lines for the panel, whose labels do not do it by themselves."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

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


def _fitting(piece: str, width: float, measure: Callable[[str], float]) -> int:
    """So many of its characters are not too wide; at least one."""
    count = 1
    while count < len(piece) and measure(piece[: count + 1]) <= width:
        count += 1
    return count


def wrap(text: str, width: float, measure: Callable[[str], float] = width_of) -> list[str]:
    """Lines that are at most so wide, where the words allow it; longer words are cut."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        while measure(line + piece.rstrip()) > width:
            if line.strip():
                lines.append(line.rstrip())
                line = ""
            else:
                cut = _fitting(piece, width, measure)
                lines.append(piece[:cut])
                piece = piece[cut:]
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines
