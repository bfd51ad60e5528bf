# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's settings, kept in the scene."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core import expressions
from ..core.messages import Stop
from ..core.run import RunSettings
from ..core.transforms import Frame
from ..host.blender_host import Region

SET_LABELS = {
    "visemes": "Visemes",
    "emotions": "Emotions",
    "vrm": "VRM Presets",
    "arkit": "ARKit 52",
    "unified": "Unified",
    "mmd": "MMD",
    "picked": "Hand-picked",
}

REGIONS = (
    ("AUTOMATIC", "Automatic", "The whole mesh, or the head of a body"),
    ("GROUP", "Vertex Group", "The vertices of a group, by their weights"),
    ("SELECTION", "Selection", "The vertices that were selected last in Edit Mode"),
)


def is_mesh(_: Any, obj: Any) -> bool:
    """For object choosers."""
    return bool(obj.type == "MESH")


class BLENDWIRE_PG_object(bpy.types.PropertyGroup):
    """A further object of the face."""

    object: PointerProperty(name="Object", type=bpy.types.Object, poll=is_mesh)


class BLENDWIRE_PG_strength(bpy.types.PropertyGroup):
    """The strength of one expression; its name is the expression's."""

    value: FloatProperty(
        name="Strength",
        description="Factor on the motion of this expression",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        max=10.0,
    )


def _set_switch(name: str, default: bool = False) -> Any:
    return BoolProperty(
        name=SET_LABELS[name], description="Make the shape keys of this set", default=default
    )


def _set_strength() -> Any:
    return FloatProperty(
        name="Strength",
        description="Factor on the motion of the whole set",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        max=10.0,
    )


class BLENDWIRE_PG_settings(bpy.types.PropertyGroup):
    """scene.blendwire"""

    target: PointerProperty(
        name="Face Mesh",
        description="The mesh with the face; the active object if empty",
        type=bpy.types.Object,
        poll=is_mesh,
    )
    others: CollectionProperty(type=BLENDWIRE_PG_object)

    region: EnumProperty(name="Region", description="Which vertices may move", items=REGIONS)
    group: StringProperty(name="Vertex Group", description="The face's vertices")
    soft_edge: FloatProperty(
        name="Soft Edge",
        description="Over this width the motion fades at the region's border",
        default=0.01,
        min=0.0,
        soft_max=0.1,
        subtype="DISTANCE",
    )

    use_visemes: _set_switch("visemes", True)
    use_emotions: _set_switch("emotions", True)
    use_vrm: _set_switch("vrm")
    use_arkit: _set_switch("arkit")
    use_unified: _set_switch("unified")
    use_mmd: _set_switch("mmd")
    use_picked: _set_switch("picked")
    picked: StringProperty(
        name="Expressions", description="Names of expressions, separated by commas"
    )

    strength_visemes: _set_strength()
    strength_emotions: _set_strength()
    strength_vrm: _set_strength()
    strength_arkit: _set_strength()
    strength_unified: _set_strength()
    strength_mmd: _set_strength()
    strength_picked: _set_strength()
    strengths: CollectionProperty(type=BLENDWIRE_PG_strength)
    active_strength: IntProperty()

    viseme_names: EnumProperty(
        name="Visemes",
        description="What the viseme keys are called",
        items=(("vrchat", "VRChat", "vrc.v_aa"), ("oculus", "Oculus", "viseme_aa")),
    )
    emotion_names: EnumProperty(
        name="Emotions",
        description="What the emotion keys are called",
        items=(
            ("blendwire", "Blendwire", "Joy"),
            ("vrm1", "VRM 1", "happy"),
            ("vrm0", "VRM 0", "Joy"),
        ),
    )
    vrm_names: EnumProperty(
        name="VRM",
        description="What the VRM presets are called",
        items=(("vrm1", "VRM 1", "happy, aa"), ("vrm0", "VRM 0", "Joy, A")),
    )
    split_sides: BoolProperty(
        name="Split Sides",
        description="Make a left and a right half of each shape that has none: NAME_L and NAME_R",
    )
    split_width: FloatProperty(
        name="Blend Width",
        description="Over this width the halves blend into each other",
        default=0.02,
        min=0.0001,
        soft_max=0.1,
        subtype="DISTANCE",
    )

    smoothing: IntProperty(
        name="Smoothing",
        description="How often the motion is smoothed over the mesh",
        default=2,
        min=0,
        soft_max=10,
        max=100,
    )
    max_displacement: FloatProperty(
        name="Longest Motion",
        description="Longer motions are shortened to this; 0 is no limit",
        default=0.08,
        min=0.0,
        soft_max=0.2,
        subtype="DISTANCE",
    )
    overwrite: BoolProperty(
        name="Overwrite",
        description="Also replace shape keys of the same name that Blendwire did not make",
    )
    need_face: BoolProperty(
        name="Only Faces", default=True, description="Write nothing if no face is recognised"
    )
    facing: EnumProperty(
        name="Looks To",
        description="Where the face looks",
        items=(
            ("-Y", "-Y", "To the front view"),
            ("+Y", "+Y", "To the back view"),
            ("+X", "+X", "To the right view"),
            ("-X", "-X", "To the left view"),
        ),
    )
    size_factor: FloatProperty(
        name="Size Factor",
        description="Makes a head that is much larger or smaller than a human one fit the model",
        default=1.0,
        min=1e-6,
        soft_min=0.01,
        soft_max=100.0,
    )


def target_objects(context: Any) -> list[Any]:
    """The face and its further objects, each once."""
    settings = context.scene.blendwire
    active = context.view_layer.objects.active
    first = settings.target or active
    found = [first, *(entry.object for entry in settings.others)]
    meshes = [o for o in found if o is not None and o.type == "MESH"]
    return list({o.name: o for o in meshes}.values())


def checked_settings(context: Any) -> tuple[object, ...]:
    """All that findings depend on, but for the meshes themselves."""
    settings = context.scene.blendwire
    names = tuple(o.name for o in target_objects(context))
    return names, settings.region, settings.group, settings.facing, settings.size_factor


def chosen_sets(settings: Any) -> list[str]:
    """Names of the sets that are switched on."""
    return [name for name in SET_LABELS if getattr(settings, f"use_{name}")]


def picked_names(text: str) -> list[str]:
    """The names in a list that is separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def key_specs(settings: Any, sets: list[str], picked: str) -> list[expressions.KeySpec]:
    """The keys to make.

    Raises:
        Stop: A name is no expression.
    """
    specs: list[expressions.KeySpec] = []
    for name in sets:
        try:
            specs += expressions.keys_of_set(
                name,
                viseme_names=settings.viseme_names,
                emotion_names=settings.emotion_names,
                vrm_names=settings.vrm_names,
                picked=picked_names(picked),
            )
        except KeyError as error:
            unknown = next(n for n in picked_names(picked) if n in str(error))
            raise Stop("unknown_expression", name=unknown) from None
    if settings.split_sides:
        specs = [half for spec in specs for half in expressions.split_sides(spec)]
    return expressions.unique(specs)


def frame_of(scene: Any) -> Frame:
    """From Blender's world to the model's space."""
    settings = scene.blendwire
    return Frame(scene.unit_settings.scale_length, settings.facing, settings.size_factor)


def region_of(settings: Any) -> Region:
    """Which vertices may move."""
    return Region(settings.region, settings.group)


def run_settings(scene: Any, specs: list[expressions.KeySpec]) -> RunSettings:
    """All settings of a run."""
    settings = scene.blendwire
    strengths = {name: getattr(settings, f"strength_{name}") for name in SET_LABELS}
    strengths.update({entry.name: entry.value for entry in settings.strengths})
    return RunSettings(
        specs=specs,
        strengths=strengths,
        frame=frame_of(scene),
        soft_edge=settings.soft_edge,
        split_width=settings.split_width,
        smoothing=settings.smoothing,
        max_displacement=settings.max_displacement,
        overwrite=settings.overwrite,
        need_face=settings.need_face,
    )


CLASSES = (BLENDWIRE_PG_object, BLENDWIRE_PG_strength, BLENDWIRE_PG_settings)


def register() -> None:
    bpy.types.Scene.blendwire = PointerProperty(type=BLENDWIRE_PG_settings)
    # For Blender before 4.0, whose layouts have no progress bar.
    bpy.types.WindowManager.blendwire_progress = FloatProperty(
        name="Progress",
        subtype="PERCENTAGE",
        min=0.0,
        max=100.0,
        precision=0,
        options={"SKIP_SAVE"},
    )


def unregister() -> None:
    del bpy.types.WindowManager.blendwire_progress
    del bpy.types.Scene.blendwire
