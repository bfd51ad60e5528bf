# SPDX-License-Identifier: Apache-2.0
"""Finds the frame headers in one direction of an HTTP/2 connection, and damages one if asked to.

Only headers of frames are damaged: length, type, flags or stream. Damage inside a DATA frame, where
the floats are, can be seen by nobody: HTTP/2 has no checksums and TCP's is recomputed by a proxy
(docs/reliability.md).
"""

from __future__ import annotations

import random

PREFACE_BYTES = 24  # what a client sends before its first frame
HEADER_BYTES = 9  # length (3), type (1), flags (1), stream (4)


class FrameTracker:
    """Follows the frames of one direction."""

    def __init__(self, from_client: bool) -> None:
        self._until_header = PREFACE_BYTES if from_client else 0
        self._header = b""  # the part of a header that the last chunk ended with
        self._lost = False

    def feed(self, chunk: bytearray, damage: random.Random | None = None) -> bool:
        """Goes on by `chunk`. With `damage`, changes one byte of the first whole header in it;
        returns whether it did. After that the frames can be followed no longer."""
        position = 0
        while not self._lost and position < len(chunk):
            if self._until_header > 0:
                step = min(self._until_header, len(chunk) - position)
                self._until_header -= step
                position += step
                continue
            piece = bytes(chunk[position : position + HEADER_BYTES - len(self._header)])
            whole = not self._header and len(piece) == HEADER_BYTES
            if damage is not None and whole:
                index = position + damage.randrange(HEADER_BYTES)
                chunk[index] ^= damage.randrange(1, 256)
                self._lost = True
                return True
            self._header += piece
            position += len(piece)
            if len(self._header) == HEADER_BYTES:
                self._until_header = int.from_bytes(self._header[:3], "big")
                self._header = b""
        return False
