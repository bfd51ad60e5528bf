# SPDX-License-Identifier: Apache-2.0
"""Random calls, each with what must come of it, and the judge that compares."""

from __future__ import annotations

import collections
import dataclasses
import random
from typing import Any, Union

import numpy as np
from oracle import EXPRESSIONS, Options, Oracle, pool

# Forms of a call and how often each is chosen, in a thousand.
FORMS = {
    "single": 600,
    "batch": 190,
    "stream": 110,
    "flawed": 60,
    "hasty": 25,  # cancelled when it may already be done
    "stats": 10,
    "cancel": 3,  # cancelled while its model runs
    "late": 2,  # with a deadline that it cannot meet
}
# What is wrong with a flawed item, and the code that docs/errors.md has for it.
FLAWS = {
    "nan": "INVALID_ARGUMENT",
    "name": "INVALID_ARGUMENT",
    "intensity": "INVALID_ARGUMENT",
    "triangle": "INVALID_ARGUMENT",
    "iterations": "INVALID_ARGUMENT",
    "model": "NOT_FOUND",
}
GRACE = 1.0  # seconds after its deadline at which a call must have ended



@dataclasses.dataclass(frozen=True)
class Failure:
    """How a call or an item failed."""

    code: str
    message: str


# An item's offsets [N,3], or how it failed.
ItemAnswer = Union[np.ndarray, Failure]
# A whole call's: its items', or how it failed.
CallAnswer = Union[list[ItemAnswer], Failure]


@dataclasses.dataclass
class Item:
    """One expression to predict, as it is sent."""

    vertices: np.ndarray  # [N,3] float32, metres
    triangles: np.ndarray  # [T,3] uint32
    kind: str
    name: str
    intensity: float
    options: dict[str, Any]
    model: str = ""
    code: str = "OK"  # what must come of it ...
    expected: np.ndarray | None = None  # ... with these offsets [N,3]


@dataclasses.dataclass
class Call:
    """One call. Items of a batch or stream share their mesh if `shared`."""

    form: str
    deadline: float  # seconds
    items: list[Item] = dataclasses.field(default_factory=list)
    shared: bool = False
    cancel_after: float | None = None  # seconds


class Workload:
    """Makes calls out of a seed."""

    def __init__(self, seed: str, oracle: Oracle) -> None:
        self._random = random.Random(seed)
        self._oracle = oracle

    def next_call(self) -> Call:
        form = self._random.choices(list(FORMS), list(FORMS.values()))[0]
        call = Call(form, deadline=self._random.uniform(2.0, 5.0))
        if form == "stats":
            return call
        if form in ("cancel", "late"):
            call.items = [self._endless_item()]
            if form == "cancel":
                call.cancel_after = self._random.uniform(0.02, 0.1)
            else:
                call.deadline = self._random.uniform(0.05, 0.15)
            return call
        many = form in ("batch", "stream", "hasty") or (
            form == "flawed" and self._random.random() < 0.5
        )
        call.shared = many and self._random.random() < 0.7
        mesh = self._random.randrange(len(pool()))
        for _ in range(self._random.randint(2, 12) if many else 1):
            if not call.shared:
                mesh = self._random.randrange(len(pool()))
            call.items.append(self._item(mesh))
        if form == "flawed":
            self._spoil(self._random.choice(call.items), call.shared)
        if form == "hasty":
            call.cancel_after = self._random.uniform(0.0, 0.01)
        return call

    def _item(self, mesh: int) -> Item:
        kind, name = self._random.choice(EXPRESSIONS)
        intensity = self._random.random()
        finish = Options(
            self._random.choice([0, 1, 2, 5]), self._random.choice([0.0, 0.01, 0.05])
        )
        shape = pool()[mesh]
        options = {
            "apply_smoothing": finish.smoothing > 0,
            "smoothing_iterations": finish.smoothing,
            "clamp_extreme_values": finish.longest > 0,
            "max_displacement": finish.longest,
        }
        expected = self._oracle.answer(mesh, kind, name, intensity, finish)
        return Item(
            shape.vertices, shape.triangles, kind, name, intensity, options, expected=expected
        )

    def _endless_item(self) -> Item:
        """Its model runs for minutes."""
        item = self._item(0)
        item.model, item.intensity, item.expected = "slow", 1.0, None
        return item

    def _spoil(self, item: Item, shared: bool) -> None:
        """Makes one thing wrong; not the mesh if others have it, too."""
        flaws = [flaw for flaw in FLAWS if not (shared and flaw in ("nan", "triangle"))]
        flaw = self._random.choice(flaws)
        item.code, item.expected = FLAWS[flaw], None
        if flaw == "nan":
            item.vertices = item.vertices.copy()
            item.vertices[self._random.randrange(len(item.vertices)), 1] = np.nan
        elif flaw == "triangle":
            item.triangles = np.array([[0, 1, len(item.vertices)]], np.uint32)
        elif flaw == "name":
            item.name = "nonsense"
        elif flaw == "intensity":
            item.intensity = 1.5
        elif flaw == "iterations":
            item.options |= {"apply_smoothing": True, "smoothing_iterations": 101}
        else:
            item.model = "absent"


# What a call may end with when something between client and server, or the server, was at fault.
FAULT_CODES = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}


class Judge:
    """Counts what became of calls. `managed`: the token changes at each restart, so an old one is
    refused. `damaged`: framing is damaged, and what the other end makes of that is any code.
    `bare`: without the client library, which turns gRPC's own CANCELLED of calls that arrive as a
    server stops listening into UNAVAILABLE."""

    def __init__(self, managed: bool, damaged: bool, bare: bool) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.complaints: list[str] = []
        self.latest = 0.0  # seconds after its deadline, of the call that was the latest
        self._faults = FAULT_CODES | ({"UNAUTHENTICATED"} if managed else set())
        self._faults |= {"CANCELLED"} if bare else set()
        self._any_code = damaged

    def ended(self, call: Call, answer: CallAnswer, seconds: float) -> None:
        """A call that ended after `seconds`."""
        self.counts["calls"] += 1
        late = seconds - call.deadline
        self.latest = max(self.latest, late)
        if late > GRACE:
            self._complain("late", call, f"ended {late:.2f} s after its deadline")
        if isinstance(answer, Failure):
            self._whole_call_failed(call, answer)
            return
        if call.form == "stats":
            self.counts["right"] += 1
            return
        if len(answer) != len(call.items):
            self._complain("wrong", call, f"{len(answer)} answers for {len(call.items)} items")
            return
        for item, found in zip(call.items, answer):
            self._item(call, item, found)

    def lost(self, call: Call) -> None:
        """A call that did not end."""
        self.counts["calls"] += 1
        self._complain("lost", call, "did not end")

    def _whole_call_failed(self, call: Call, failure: Failure) -> None:
        code = failure.code
        self.counts["predictions"] += len(call.items)
        wanted = {item.code for item in call.items if len(call.items) == 1} - {"OK"}
        if call.cancel_after is not None:
            wanted.add("CANCELLED")
        if call.form == "late":
            wanted.add("DEADLINE_EXCEEDED")
        if code in wanted:
            self.counts[f"as it must: {code}"] += 1
        elif code in self._faults or self._any_code:
            self.counts[f"fault: {code}"] += 1
            if call.form in ("single", "batch", "stream", "stats"):
                self.counts["good calls that failed"] += 1
        else:
            self._complain("wrong", call, f"ended with {failure}")

    def _item(self, call: Call, item: Item, found: ItemAnswer) -> None:
        self.counts["predictions"] += 1
        if isinstance(found, Failure):
            allowed = self._faults | ({"CANCELLED"} if call.cancel_after is not None else set())
            if found.code == item.code:
                self.counts[f"as it must: {found.code}"] += 1
            elif found.code in allowed:
                self.counts[f"fault: {found.code}"] += 1
            else:
                self._complain("wrong", call, f"item ended with {found} instead of {item.code}")
        elif item.expected is None or not Oracle.is_right(item.expected, found):
            self._complain("wrong", call, f"{item.kind} {item.name} x {item.intensity} {item.options}")
        else:
            self.counts["right"] += 1

    def _complain(self, what: str, call: Call, text: str) -> None:
        self.counts[what] += 1
        if len(self.complaints) < 20:
            self.complaints.append(f"{what}: {call.form} of {len(call.items)} items: {text}")
