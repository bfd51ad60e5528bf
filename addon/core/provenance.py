# SPDX-License-Identifier: GPL-3.0-or-later
"""What made a key, so that generated ones can be told from hand-made ones."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

PROPERTY = "blendwire"
"""The custom property of a mesh's shape keys that holds the records as JSON."""

_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Record:
    """How one key was made.

    Attributes:
        expression: Blendwire's name.
        set: The expression set it was made for.
        side: "left", "right" or "".
        strength: Its strength.
        model: The model's name and version.
        addon: The add-on's version.
        made: Date and time, ISO 8601.
        settings: What else it takes to make it again.
        quality: Figures for the result list.
        checksum: Of the key's positions when it was written: tells whether it was edited since.
    """

    expression: str
    set: str
    side: str
    strength: float
    model: str
    addon: str
    made: str
    settings: Mapping[str, Any]
    quality: Mapping[str, float]
    checksum: int


def checksum(positions: Any) -> int:
    """Of a key's positions [N,3] float32."""
    return zlib.crc32(np.ascontiguousarray(positions, dtype=np.float32).view(np.uint8))


def dump(records: Mapping[str, Record]) -> str:
    """As JSON, by the keys' names."""
    keys = {name: vars(record) for name, record in records.items()}  # asdict() copies deeply
    return json.dumps({"format": _FORMAT, "keys": keys}, ensure_ascii=False, sort_keys=True)


def load(text: object) -> dict[str, Record]:
    """The records; what cannot be read counts as hand-made, so nothing of the user's is lost."""
    if not isinstance(text, str):
        return {}
    try:
        data = json.loads(text)
        if data["format"] != _FORMAT:
            return {}
        entries = dict(data["keys"])
    except (ValueError, KeyError, TypeError):
        return {}
    names = {field.name for field in dataclasses.fields(Record)}
    result = {}
    for name, entry in entries.items():
        if isinstance(entry, dict) and names <= set(entry):
            result[name] = Record(**{key: entry[key] for key in names})
    return result


HAND_MADE, GENERATED, EDITED = "hand-made", "generated", "edited"


def state_of(record: Record | None, current_checksum: int) -> str:
    """HAND_MADE, GENERATED or EDITED."""
    if record is None:
        return HAND_MADE
    return GENERATED if record.checksum == current_checksum else EDITED
