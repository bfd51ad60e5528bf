# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays shape keys one after another, and leaves their values as they were."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import bpy

SECONDS_PER_KEY = 0.5


class Preview:
    """Runs by tick(); holds names, not objects."""

    def __init__(
        self,
        objects: Sequence[str],
        keys: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objects = list(objects)
        self._keys = list(keys)
        self._clock = clock
        self._began = clock()
        self._values = {
            (name, key): block.value
            for name in objects
            for key in keys
            if (block := _block(name, key)) is not None
        }
        self.current = ""
        self.finished = not self._values

    def tick(self) -> None:
        """Shows what is due now."""
        if self.finished:
            return
        passed = (self._clock() - self._began) / SECONDS_PER_KEY
        number = int(passed)
        if number >= len(self._keys):
            self.stop()
            return
        self.current = self._keys[number]
        weight = math.sin(math.pi * (passed - number)) ** 0.5
        for name, key in self._values:
            block = _block(name, key)
            if block is not None:
                block.value = weight if key == self.current else 0.0

    def stop(self) -> None:
        """Ends it and puts the values back."""
        if self.finished:
            return
        self.finished = True
        self.current = ""
        for (name, key), value in self._values.items():
            block = _block(name, key)
            if block is not None:
                block.value = value


def _block(name: str, key: str) -> Any:
    obj = bpy.data.objects.get(name)
    keys = getattr(obj.data, "shape_keys", None) if obj is not None else None
    return keys.key_blocks.get(key) if keys is not None else None
