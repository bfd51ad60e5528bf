# SPDX-License-Identifier: GPL-3.0-or-later
"""From the shapes of a run to the keys that are written, each with its record; in slices."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from . import provenance, shaping
from .expressions import KeySpec, Request
from .gather import Joint
from .messages import Message
from .plan import Plan, plan_keys
from .run_types import Host, RunSettings

ADDON_VERSION = "0.1.0"


@dataclasses.dataclass
class Predicted:
    """What came of the server's answers.

    Attributes:
        shapes: In the order in which their keys are written.
        smoothness: The server's score of each answer, 0 to 1.
        model: Name and version.
    """

    shapes: list[shaping.Shape]
    smoothness: dict[Request, float]
    model: str


@dataclasses.dataclass
class Prepared:
    """What is to be written.

    Attributes:
        keys: Object, key, positions [N,3] float32, local.
        records: Object -> key -> record; every object of the run is there.
        names: Of the keys, each once.
        messages: For the panel, once all is written.
    """

    keys: list[tuple[str, str, Any]]
    records: dict[str, dict[str, provenance.Record]]
    names: list[str]
    messages: list[Message]


def prepare_steps(
    host: Host, settings: RunSettings, joint: Joint, predicted: Predicted
) -> Iterator[Prepared | None]:
    """Yields None until the last, the result; it has no keys if all are to be kept. The offsets
    of the shapes are given up on the way: large meshes have hundreds of megabytes of them."""
    shapes = predicted.shapes
    plans = []
    for part in joint.parts:
        plans.append((yield from _plan(host, settings, part.name)))
    main = shaping.main_part(shapes, joint)
    # Keys that move nothing are left out, except on the face itself.
    wanted = [
        s
        for s in shapes
        if plans[s.part].writes(s.spec.key) and (s.part == main or s.moving or s.nudged)
    ]
    names = list(dict.fromkeys(s.spec.key for s in wanted))
    result = Prepared([], {p.name: {} for p in joint.parts}, names, _messages(plans, wanted))
    made = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    for shape in wanted:
        part, key = joint.parts[shape.part], shape.spec.key
        positions = part.key_positions(shape.offsets)
        yield None
        quality: shaping.Quality | None = None
        smoothness = predicted.smoothness.get(shape.spec.request, 0.0)
        for quality in shaping.quality_steps(shape, part, smoothness, settings.frame.size_factor):
            yield None
        assert quality is not None
        record = _record(settings, predicted.model, shape.spec, quality, positions, made)
        result.records[part.name][key] = record
        result.keys.append((part.name, key, positions))
        shape.offsets = None
        yield None
    yield result


def _plan(host: Host, settings: RunSettings, name: str) -> Generator[None, None, Plan]:
    states: tuple[dict[str, str], str | None] | None = None
    for states in host.existing_steps(name):
        yield None
    assert states is not None
    existing, basis = states
    return plan_keys(settings.specs, existing, basis=basis, overwrite=settings.overwrite)


def _record(
    settings: RunSettings,
    model: str,
    spec: KeySpec,
    quality: shaping.Quality,
    positions: Any,
    made: str,
) -> provenance.Record:
    return provenance.Record(
        expression=spec.expression,
        set=spec.set,
        side=spec.side,
        strength=round(settings.strength_of(spec), 4),
        model=model,
        addon=ADDON_VERSION,
        made=made,
        settings={
            "smoothing": settings.smoothing,
            "max_displacement": round(settings.max_displacement, 6),
            "soft_edge": round(settings.soft_edge, 6),
            "facing": settings.frame.facing,
            "size_factor": round(settings.frame.size_factor, 6),
        },
        quality=dataclasses.asdict(quality),
        checksum=provenance.checksum(positions),
    )


def _messages(plans: Sequence[Plan], wanted: Sequence[shaping.Shape]) -> list[Message]:
    if not wanted:
        return [Message("all_kept")]
    messages = []
    kept = list(dict.fromkeys(name for plan in plans for name in plan.kept))
    if kept:
        messages.append(Message("some_kept", {"count": len(kept), "names": _listed(kept)}))
    nudged = list(dict.fromkeys(s.spec.key for s in wanted if s.nudged))
    if nudged:
        messages.append(Message("nudged", {"names": _listed(nudged)}))
    return messages


def _listed(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
