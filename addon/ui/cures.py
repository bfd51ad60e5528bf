# SPDX-License-Identifier: GPL-3.0-or-later
"""A button for each finding that a button can cure."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ..core import checks
from ..core.run import FACE_WARN, Outcome
from ..core.transforms import FACINGS
from ..host.blender_host import push_undo
from ..host.session import session
from . import properties
from .operators import StartsRun, begin_run, check, find_problems, gather_face, note_score


class _Cure:
    """An operator on one object, after which the check runs again."""

    bl_options = {"REGISTER", "UNDO"}
    object: StringProperty(name="Object")

    def execute(self, context: Any) -> set[str]:
        obj = bpy.data.objects.get(self.object)
        if obj is None:
            return {"CANCELLED"}
        self.cure(context, obj)
        current = session()
        current.messages = [m for m in current.messages if checks.CURES.get(m.code) != self.cures()]
        check(context)
        return {"FINISHED"}

    def cure(self, context: Any, obj: Any) -> None:
        raise NotImplementedError

    @classmethod
    def cures(cls) -> str:
        """As checks.CURES calls it."""
        return cls.__name__.removeprefix("BLENDWIRE_OT_")


def _activate(context: Any, obj: Any) -> None:
    context.view_layer.objects.active = obj


class BLENDWIRE_OT_cure_object_mode(_Cure, bpy.types.Operator):
    """Leave Edit Mode"""

    bl_idname = "blendwire.cure_object_mode"
    bl_label = "Object Mode"

    def cure(self, context: Any, obj: Any) -> None:
        _activate(context, obj)
        bpy.ops.object.mode_set(mode="OBJECT")


class BLENDWIRE_OT_cure_make_local(_Cure, bpy.types.Operator):
    """Make a copy in this file that can be changed"""

    bl_idname = "blendwire.cure_make_local"
    bl_label = "Make Local"

    def cure(self, context: Any, obj: Any) -> None:
        del context
        name = obj.name
        obj.make_local()
        local = bpy.data.objects.get(name, obj)
        if local.data.library is not None or local.data.override_library is not None:
            local.data = local.data.copy()


class BLENDWIRE_OT_cure_apply_mirror(_Cure, bpy.types.Operator):
    """Apply the Mirror modifier"""

    bl_idname = "blendwire.cure_apply_mirror"
    bl_label = "Apply Mirror"

    def cure(self, context: Any, obj: Any) -> None:
        _activate(context, obj)
        for name in [m.name for m in obj.modifiers if m.type == "MIRROR" and m.show_viewport]:
            bpy.ops.object.modifier_apply(modifier=name)


class BLENDWIRE_OT_cure_apply_modifier(_Cure, bpy.types.Operator):
    """Apply this modifier"""

    bl_idname = "blendwire.cure_apply_modifier"
    bl_label = "Apply Modifier"

    modifier: StringProperty(name="Modifier")

    def cure(self, context: Any, obj: Any) -> None:
        _activate(context, obj)
        bpy.ops.object.modifier_apply(modifier=self.modifier)


class BLENDWIRE_OT_cure_leave_out(_Cure, bpy.types.Operator):
    """Work without this object"""

    bl_idname = "blendwire.cure_leave_out"
    bl_label = "Leave Out"

    def cure(self, context: Any, obj: Any) -> None:
        settings = context.scene.blendwire
        for index in reversed(range(len(settings.others))):
            if settings.others[index].object == obj:
                settings.others.remove(index)
        if obj in properties.target_objects(context):
            left = [o for o in context.view_layer.objects if o.type == "MESH" and o != obj]
            settings.target = max(left, key=lambda o: len(o.data.polygons), default=None)


class BLENDWIRE_OT_cure_single_user(_Cure, bpy.types.Operator):
    """Give the object a mesh of its own"""

    bl_idname = "blendwire.cure_single_user"
    bl_label = "Single User"

    def cure(self, context: Any, obj: Any) -> None:
        del context
        obj.data = obj.data.copy()


class BLENDWIRE_OT_cure_relative_keys(_Cure, bpy.types.Operator):
    """Make the shape keys relative"""

    bl_idname = "blendwire.cure_relative_keys"
    bl_label = "Make Relative"

    def cure(self, context: Any, obj: Any) -> None:
        del context
        obj.data.shape_keys.use_relative = True


class BLENDWIRE_OT_cure_size(_Cure, bpy.types.Operator):
    """Let Blendwire treat the head as one of human size; the mesh stays as it is"""

    bl_idname = "blendwire.cure_size"
    bl_label = "Fit Size"

    def cure(self, context: Any, obj: Any) -> None:
        del obj
        scene = context.scene
        scene.blendwire.size_factor = 1.0
        joint = gather_face(context, properties.frame_of(scene))
        scene.blendwire.size_factor = checks.human_size_factor(joint.vertices)


class BLENDWIRE_OT_cure_facing(_Cure, bpy.types.Operator):
    """Tell Blendwire where the face looks; the mesh stays as it is"""

    bl_idname = "blendwire.cure_facing"
    bl_label = "Set Facing"

    def cure(self, context: Any, obj: Any) -> None:
        del obj
        for finding in find_problems(context):
            if finding.message.code == "wrong_way":
                context.scene.blendwire.facing = finding.message.params["facing"]


class BLENDWIRE_OT_cure_no_face(StartsRun, bpy.types.Operator):
    """Try all directions that the face may look to, and set the best one"""

    bl_idname = "blendwire.cure_no_face"
    bl_label = "Find Facing"

    object: StringProperty(name="Object")

    def begin(self, context: Any) -> None:
        scene = context.scene.name

        def set_facing(outcome: Outcome) -> None:
            if (outcome.face_score or 0.0) >= FACE_WARN:
                bpy.data.scenes[scene].blendwire.facing = outcome.facing
                push_undo("Find Facing")
            check(bpy.context)
            note_score(outcome)

        begin_run(context, [], then=set_facing, only_check=True, facings=tuple(FACINGS))


CLASSES = (
    BLENDWIRE_OT_cure_object_mode,
    BLENDWIRE_OT_cure_make_local,
    BLENDWIRE_OT_cure_apply_mirror,
    BLENDWIRE_OT_cure_apply_modifier,
    BLENDWIRE_OT_cure_leave_out,
    BLENDWIRE_OT_cure_single_user,
    BLENDWIRE_OT_cure_relative_keys,
    BLENDWIRE_OT_cure_size,
    BLENDWIRE_OT_cure_facing,
    BLENDWIRE_OT_cure_no_face,
)
