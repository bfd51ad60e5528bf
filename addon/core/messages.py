# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the panel says when something is not as it should be: what, and its cure.

Texts are English and the ids of their translations (locale/). {names} are filled in after that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

ERROR, WARNING, INFO = "error", "warning", "info"

# code -> (severity, what happened, what to do)
TEXTS: dict[str, tuple[str, str, str]] = {
    # ---- the meshes ----
    "no_mesh": (ERROR, "No mesh is selected", "Select the face's mesh, or choose it above"),
    "edit_mode": (
        ERROR,
        "{object} is in Edit Mode; shape keys written there are lost",
        "Switch to Object Mode",
    ),
    "no_triangles": (ERROR, "{object} has no faces", "Choose a mesh with faces"),
    "linked": (
        ERROR,
        "{object} is linked from another file and cannot be changed",
        "Make it local",
    ),
    "flat": (ERROR, "{object} has a scale of zero", "Give it a scale other than zero"),
    "not_finite": (
        ERROR,
        "{object} has vertices at no real position (NaN or infinite)",
        "Remove those vertices",
    ),
    "mirrored": (
        ERROR,
        "{object} is half a mesh: a Mirror modifier makes the other half",
        "Apply the Mirror modifier",
    ),
    "mirrored_keys": (
        ERROR,
        "{object} is half a mesh: a Mirror modifier makes the other half, "
        "and Blender cannot apply it to a mesh with shape keys",
        "Remove the Mirror modifier and model the other half, or start from a copy "
        "without shape keys",
    ),
    "absolute_keys": (ERROR, "{object} has absolute shape keys", "Make its shape keys relative"),
    "changes_topology": (
        WARNING,
        "The modifier {modifier} of {object} changes the mesh; shape keys "
        "are made for the mesh below it",
        "Nothing to do, unless you want to apply it first",
    ),
    "changes_topology_keys": (
        WARNING,
        "The modifier {modifier} of {object} changes the mesh; shape keys "
        "are made for the mesh below it",
        "Nothing to do; Blender cannot apply it to a mesh with shape keys",
    ),
    "shared_data": (
        WARNING,
        "Other objects ({count}) share the mesh of {object} and get the same shape keys",
        "Make it a mesh of its own",
    ),
    "too_large": (
        WARNING,
        "{object} is {height:.2f} m high; a head has 0.15 to 0.6 m",
        "Let Blendwire treat it as a head of human size",
    ),
    "too_small": (
        WARNING,
        "{object} is {height:.3f} m high; a head has 0.15 to 0.6 m",
        "Let Blendwire treat it as a head of human size",
    ),
    "wrong_way": (
        WARNING,
        "The face seems to look along {facing}, not along -Y",
        "Tell Blendwire where it looks",
    ),
    "lopsided": (
        WARNING,
        "{object} is not symmetric from left to right; is the whole face there?",
        "Choose all parts of the face, and its facing",
    ),
    "many_vertices": (
        WARNING,
        "{count} vertices will take a while",
        "Choose the face with a vertex group or a selection",
    ),
    "no_group": (
        ERROR,
        "{object} has no vertex group named {group}",
        "Choose another vertex group",
    ),
    "no_selection": (ERROR, "No vertices are selected", "Select the face in Edit Mode"),
    "empty_region": (
        ERROR,
        "No vertex lies in the face region",
        "Choose another region; Automatic takes the head",
    ),
    "no_face": (
        WARNING,
        "This does not move like a face that the model knows (score {score:.2f} "
        "of 1); the shape keys may be wrong",
        "Check scale and facing, choose the face as region, or undo",
    ),
    "no_face_stopped": (
        ERROR,
        "No face that the model knows was found (score {score:.2f} of 1); nothing was written",
        "Check scale and facing, choose the face as region, or allow it below",
    ),
    "no_face_found": (
        WARNING,
        "No face that the model knows was found (score {score:.2f} of 1)",
        "Check scale and facing, or choose the face as region",
    ),
    # ---- the run ----
    "no_keys": (ERROR, "No expression is chosen", "Choose at least one expression set"),
    "unknown_expression": (
        ERROR,
        "{name} is no expression that Blendwire knows",
        "Correct the list of expressions",
    ),
    "all_kept": (
        WARNING,
        "Shape keys of these names exist already and are your own; nothing was written",
        "Tick Overwrite to replace them",
    ),
    "some_kept": (
        WARNING,
        "Shape keys of your own were kept ({count}): {names}",
        "Tick Overwrite to replace them",
    ),
    "nudged": (
        INFO,
        "Without motion of their own: {names}; moved by 0.1 mm, so that VRChat finds all visemes",
        "Nothing to do",
    ),
    "busy": (ERROR, "Blendwire is at work already", "Wait for it, or cancel it"),
    "cancelled": (INFO, "Cancelled; nothing was written", "Press Generate to start again"),
    "cancelled_file": (
        WARNING,
        "Another file was opened during the work; nothing was written",
        "Press Generate to start again",
    ),
    "object_gone": (
        ERROR,
        "{object} was deleted, renamed or undone meanwhile; nothing was written",
        "Press Generate to start again",
    ),
    "object_changed": (
        ERROR,
        "{object} was edited meanwhile; nothing was written",
        "Press Generate to start again",
    ),
    "undone_while_writing": (
        ERROR,
        "Undo was used while the shape keys were written; nothing was written",
        "Press Generate to start again",
    ),
    "waiting_for_object_mode": (
        WARNING,
        "The results are ready; they are written when {object} leaves Edit Mode",
        "Switch to Object Mode",
    ),
    "some_failed": (
        WARNING,
        "Expressions that failed: {count}; the first one: {reason}",
        "Generate them again; see the log",
    ),
    "not_generated": (ERROR, "{name} was not made by Blendwire", "Choose a generated shape key"),
    # ---- the server ----
    "no_library": (
        ERROR,
        "Blendwire's own library could not be loaded: {reason}",
        "Install the add-on again, for this system",
    ),
    "start_failed": (
        ERROR,
        "The server did not start: {reason}",
        "See the log; check the preferences",
    ),
    "crashed": (ERROR, "The server stopped: {reason}", "Press Restart"),
    "too_many_crashes": (
        ERROR,
        "The server failed {count} times in a row and is not started again; "
        "the last time: {reason}",
        "See the log, check model and device in the preferences, then press Restart",
    ),
    "unreachable": (
        ERROR,
        "No server answers at {address}",
        "Start it, or correct the address in the preferences",
    ),
    "not_serving": (
        ERROR,
        "The server answers but is not ready: {reason}",
        "Wait a moment; load a model if it has none",
    ),
    "wrong_token": (
        ERROR,
        "The server at {address} wants a token",
        "Use the private server, or one without a token",
    ),
    "call_failed": (ERROR, "The prediction failed: {reason}", "See the log; try again"),
    "took_too_long": (
        ERROR,
        "The prediction took too long: {reason}",
        "Choose fewer vertices with a region, or fewer expressions",
    ),
    "overloaded": (ERROR, "The server has too much to do: {reason}", "Try again in a moment"),
    "too_large_for_memory": (
        ERROR,
        "The mesh is too large for the server's memory: {reason}",
        "Choose the face as region, it has fewer vertices",
    ),
    "no_model": (ERROR, "The server has no model: {reason}", "Choose a model in the preferences"),
    "internal": (
        ERROR,
        "Something in Blendwire went wrong: {reason}",
        "See the console, and report it",
    ),
}


@dataclasses.dataclass(frozen=True)
class Message:
    """Something to show, with its parameters, so that it can be translated late."""

    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def severity(self) -> str:
        """ERROR, WARNING or INFO."""
        return TEXTS[self.code][0]

    def text(self, translate: Callable[[str], str] = str) -> str:
        """What happened."""
        return translate(TEXTS[self.code][1]).format(**self.params)

    def cure(self, translate: Callable[[str], str] = str) -> str:
        """What to do."""
        return translate(TEXTS[self.code][2]).format(**self.params)

    def __str__(self) -> str:
        return f"{self.text()}. {self.cure()}."


class Stop(Exception):
    """Ends what is going on with a message for the panel."""

    def __init__(self, code: str, **params: Any) -> None:
        self.message = Message(code, params)
        super().__init__(str(self.message))


# The client's error codes (blendwire.Code) -> message.
_CALL_ERRORS = {
    "CANCELLED": "cancelled",
    "DEADLINE_EXCEEDED": "took_too_long",
    "RESOURCE_EXHAUSTED": "overloaded",
    "FAILED_PRECONDITION": "no_model",
    "NOT_FOUND": "no_model",
}


def from_call_error(error: Any, address: str = "") -> Message:
    """For a BlendwireError of a prediction or a health check."""
    code = error.code.name
    reason = error.message
    if code == "UNAVAILABLE":
        return Message("unreachable", {"address": address})
    if code == "UNAUTHENTICATED":
        return Message("wrong_token", {"address": address})
    if code == "RESOURCE_EXHAUSTED" and "--memory-budget" in reason:
        return Message("too_large_for_memory", {"reason": reason})
    return Message(_CALL_ERRORS.get(code, "call_failed"), {"reason": reason})
