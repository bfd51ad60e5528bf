# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is told, what it needs of Blender, and what it has to say."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from . import provenance
from .expressions import KeySpec
from .gather import Source
from .messages import Message
from .transforms import Frame


class Phase(enum.Enum):
    """Where a run is."""

    STARTING = "starting"
    READING = "reading"
    PREDICTING = "predicting"
    SHAPING = "shaping"
    HOLDING = "holding"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS = (Phase.DONE, Phase.FAILED, Phase.CANCELLED)


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What the panel says.

    Attributes:
        specs: The keys to make.
        strengths: Expression set, or Blendwire's name of an expression -> factor; 1 if not there.
            Both factors are multiplied.
        frame: From Blender's world to the model's space.
        soft_edge: Metres over which the motion fades at the region's border.
        split_width: Metres over which left and right halves blend.
        smoothing: Times that the server smooths; 0 for never.
        max_displacement: Metres; longer offsets are shortened. 0 for no limit.
        overwrite: Whether the user's own keys of the same name may be replaced.
        need_face: Whether nothing is written if no face is recognised.
        only_check: Whether the run ends when it is known how much of a face this is.
        facings: With only_check, the facings to try instead of the frame's own.
    """

    specs: Sequence[KeySpec]
    strengths: Mapping[str, float] = dataclasses.field(default_factory=dict)
    frame: Frame = Frame()
    soft_edge: float = 0.01
    split_width: float = 0.02
    smoothing: int = 2
    max_displacement: float = 0.08
    overwrite: bool = False
    need_face: bool = True
    only_check: bool = False
    facings: Sequence[str] = ()

    def strength_of(self, spec: KeySpec) -> float:
        """The factor of one key."""
        return self.strengths.get(spec.set, 1.0) * self.strengths.get(spec.expression, 1.0)

    def options(self) -> dict[str, Any]:
        """Of the server's predictions."""
        return {
            "apply_smoothing": self.smoothing > 0,
            "smoothing_iterations": self.smoothing,
            "clamp_extreme_values": self.max_displacement > 0,
            "max_displacement": self.max_displacement,
            "timeout_seconds": 600,
        }


class Host(Protocol):
    """Blender's side of a run, or a fake in tests. Objects are looked up by name in each call."""

    def read_steps(self) -> Iterator[list[Source] | None]:
        """Reads the target objects in pieces: None until the last, the sources."""

    def trouble(self, name: str) -> Message | None:
        """Why an object that was read can no longer be written: deleted, edited, undone."""

    def busy_object(self) -> str:
        """The name of a target object that is in Edit Mode now; empty if none is."""

    def existing_steps(self, name: str) -> Iterator[tuple[dict[str, str], str | None] | None]:
        """In pieces, None until the last: the object's keys and their states, and the name of its
        Basis key."""

    def begin_writing(self) -> None:
        """Called once before the first key."""

    def begin_many_keys(self, name: str) -> None:
        """Before an object's first key, if Blender will evaluate it more than once until the last
        one: what the evaluations can do without is left out until finish_object_steps()."""

    def add_key(self, name: str, key: str) -> None:
        """Adds a key, or keeps for abort_writing() what it is now if there is one."""

    def fill_key(self, name: str, key: str, positions: Any) -> None:
        """Writes a key that add_key() was called for; positions [N,3] float32, local."""

    def interrupted(self) -> bool:
        """Whether the user undid something since begin_writing()."""

    def evaluate(self) -> None:
        """Lets Blender evaluate what was changed so far."""

    def finish_object_steps(
        self, name: str, records: Mapping[str, provenance.Record]
    ) -> Iterator[None]:
        """After an object's last key: keeps the records (key -> record) and has the object
        evaluated, in pieces."""

    def finish_writing(self) -> None:
        """After the last object: makes it all one undo step."""

    def abort_writing(self) -> None:
        """Takes back what was written since begin_writing()."""


@dataclasses.dataclass
class Outcome:
    """What a run did, for the panel."""

    written: int = 0
    messages: list[Message] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    longest_tick: float = 0.0  # seconds, before writing
    longest_write_tick: float = 0.0  # seconds
    face_score: float | None = None  # the best, where several facings were tried
    facing: str = ""  # that it was reached with
