# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons for the panel's lists: further objects, strengths of single expressions."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..core import expressions
from . import properties


class BLENDWIRE_OT_add_selected(bpy.types.Operator):
    """Let the selected meshes move with the face: teeth, tongue, lashes, brows"""

    bl_idname = "blendwire.add_selected"
    bl_label = "Add Selected"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        settings = context.scene.blendwire
        known = {o.name for o in properties.target_objects(context)}
        for obj in context.selected_objects:
            if obj.type == "MESH" and obj.name not in known:
                settings.others.add().object = obj
        return {"FINISHED"}


class BLENDWIRE_OT_clear_others(bpy.types.Operator):
    """Let only the face move"""

    bl_idname = "blendwire.clear_others"
    bl_label = "Clear"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        context.scene.blendwire.others.clear()
        return {"FINISHED"}


class BLENDWIRE_OT_add_strength(bpy.types.Operator):
    """Give one expression a strength of its own"""

    bl_idname = "blendwire.add_strength"
    bl_label = "Add Expression"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "expression"

    expression: EnumProperty(
        name="Expression",
        description="Which one",
        items=[(name, name, e.description) for name, e in expressions.table().items()],
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        del event
        context.window_manager.invoke_search_popup(self)
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        strengths = context.scene.blendwire.strengths
        if self.expression not in strengths:
            strengths.add().name = self.expression
        return {"FINISHED"}


class BLENDWIRE_OT_remove_strength(bpy.types.Operator):
    """Give this expression the strength of its set again"""

    bl_idname = "blendwire.remove_strength"
    bl_label = "Remove Expression"
    bl_options = {"REGISTER", "UNDO"}

    expression: StringProperty(name="Expression")

    def execute(self, context: Any) -> set[str]:
        strengths = context.scene.blendwire.strengths
        index = strengths.find(self.expression)
        if index < 0:
            return {"CANCELLED"}
        strengths.remove(index)
        return {"FINISHED"}


CLASSES = (
    BLENDWIRE_OT_add_selected,
    BLENDWIRE_OT_clear_others,
    BLENDWIRE_OT_add_strength,
    BLENDWIRE_OT_remove_strength,
)
