# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys are written, which stay as they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from .expressions import KeySpec
from .provenance import GENERATED

MAX_NAME_BYTES = 63
"""Blender cuts longer names."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """For one object."""

    added: tuple[str, ...]  # new keys
    replaced: tuple[str, ...]  # generated before, or overwritten as the user asked
    kept: tuple[str, ...]  # the user's own of the same name

    def writes(self, key: str) -> bool:
        """Whether a key is written."""
        return key in self.added or key in self.replaced


def plan_keys(
    specs: Sequence[KeySpec],
    existing: Mapping[str, str],
    *,
    basis: str | None = None,
    overwrite: bool = False,
) -> Plan:
    """Decides for each key.

    Args:
        specs: The keys to make.
        existing: Names of the object's keys -> HAND_MADE, GENERATED or EDITED.
        basis: The name of the Basis key, which is never written.
        overwrite: Whether the user's own keys of the same name may be replaced.
    """
    added, replaced, kept = [], [], []
    for spec in specs:
        state = existing.get(spec.key)
        if state is None:
            added.append(spec.key)
        elif spec.key != basis and (state == GENERATED or overwrite):
            replaced.append(spec.key)
        else:
            kept.append(spec.key)
    return Plan(tuple(added), tuple(replaced), tuple(kept))


def too_long(specs: Sequence[KeySpec]) -> list[str]:
    """Names that Blender would cut."""
    return [s.key for s in specs if len(s.key.encode()) > MAX_NAME_BYTES]


def removable(
    existing: Mapping[str, str], *, include_edited: bool = False
) -> tuple[list[str], list[str]]:
    """What Remove generated takes away, and what it leaves because it was edited since."""
    states = (GENERATED, "edited") if include_edited else (GENERATED,)
    gone = [name for name, state in existing.items() if state in states]
    left = [name for name, state in existing.items() if state == "edited" and name not in gone]
    return gone, left
