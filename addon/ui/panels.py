# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels in the 3D view's sidebar, tab Blendwire."""

from __future__ import annotations

import functools
from typing import Any

import blf
import bpy

from ..core import checks, provenance
from ..core.messages import ERROR, INFO, WARNING, Message
from ..core.run import Phase
from ..core.server_care import State
from ..core.text import wrap
from ..host.session import session
from . import properties
from .reports import tr

_ICONS = {ERROR: "CANCEL", WARNING: "ERROR"}

_PHASES = {
    Phase.STARTING: "Starting the server",
    Phase.READING: "Reading the mesh",
    Phase.PREDICTING: "Predicting",
    Phase.SHAPING: "Shaping",
    Phase.HOLDING: "Waiting for Object Mode",
    Phase.WRITING: "Writing the shape keys",
}

_STATES = {
    State.STOPPED: ("Server is off", "RADIOBUT_OFF"),
    State.STARTING: ("Server is starting", "SORTTIME"),
    State.RUNNING: ("Server is ready", "CHECKMARK"),
    State.STOPPING: ("Server is stopping", "SORTTIME"),
    State.CRASHED: ("Server has failed", "CANCEL"),
}


# What of the sidebar's width is not for text, in pixels at an interface scale of 1: margins, tabs,
# scroll bar, an icon, and for messages the box around them.
_BESIDE_TEXT, _BESIDE_MESSAGE = 72, 92


def _lines(text: str, context: Any, beside: int = _BESIDE_TEXT) -> list[str]:
    """Wrapped to the sidebar's width."""
    scale = context.preferences.system.ui_scale
    blf.size(0, context.preferences.ui_styles[0].widget.points * scale)
    width = max(100 * scale, context.region.width - beside * scale)
    return wrap(text, width, lambda line: blf.dimensions(0, line)[0])


def _draw_lines(layout: Any, lines: list[str], icon: str) -> None:
    """The icon stands before the first."""
    for number, line in enumerate(lines):
        layout.label(text=line, icon="BLANK1" if number else icon, translate=False)


def draw_message(layout: Any, message: Message, context: Any) -> Any:
    """What happened, and below it what to do; returns the column."""
    column = layout.column(align=True)
    column.scale_y = 0.85
    icon = _ICONS.get(message.severity, "INFO")
    _draw_lines(column, _lines(message.text(tr), context, _BESIDE_MESSAGE), icon)
    if message.severity != INFO:  # else nothing is wrong
        _draw_lines(column, _lines(message.cure(tr), context, _BESIDE_MESSAGE), "FORWARD")
    return column


def draw_cure(layout: Any, message: Message, name: str = "") -> None:
    """The button that cures it, if there is one; `name` is an object's."""
    cure = checks.CURES.get(message.code)
    if cure is None:
        return
    layout.operator_context = "INVOKE_DEFAULT"
    button = layout.operator(f"blendwire.{cure}")
    button.object = name or message.params.get("object", "")
    if "modifier" in message.params:
        button.modifier = message.params["modifier"]


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Blendwire"


class BLENDWIRE_PT_main(_Panel, bpy.types.Panel):
    """Generate, its progress, and what came of it"""

    bl_label = "Blendwire"

    def draw(self, context: Any) -> None:
        layout = self.layout
        session().panel_seen = True
        self._draw_server(layout, context)
        run = session().run
        if run is not None:
            self._draw_run(layout, run, context)
        else:
            row = layout.row()
            row.scale_y = 1.6
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("blendwire.generate", icon="SHAPEKEY_DATA")
        self._draw_outcome(layout, context)

    def _draw_server(self, layout: Any, context: Any) -> None:
        care = session().care
        text, icon = _STATES[care.state]
        stopped = care.state == State.STOPPED
        row = layout.split(factor=0.65) if stopped else layout.row(align=True)
        row.operator_context = "INVOKE_DEFAULT"
        row.label(text=text, icon=icon)
        if care.state == State.CRASHED:
            row.operator("blendwire.open_log", text="", icon="TEXT")
        elif stopped:
            row.operator("blendwire.start_server", text="Start")
        else:
            row.operator("blendwire.stop_server", text="", icon="PAUSE")
        if care.info is not None:
            column = layout.column(align=True)
            column.scale_y = 0.8
            model = f"{tr('Model')} {care.info.model_version}"
            _draw_lines(column, [model, *_lines(care.info.device, context)], "BLANK1")
        if care.message is not None:
            draw_message(layout.box(), care.message, context)
        if care.state == State.CRASHED:
            layout.operator("blendwire.restart_server", icon="FILE_REFRESH")

    def _draw_run(self, layout: Any, run: Any, context: Any) -> None:
        column = layout.column(align=True)
        if hasattr(column, "progress"):
            column.progress(factor=run.fraction, text=f"{run.fraction:.0%}", type="BAR")
        else:
            column.prop(context.window_manager, "blendwire_progress", slider=True)
        column.label(text=tr(_PHASES.get(run.phase, "Predicting")), translate=False)
        left = run.seconds_left
        if left is not None:
            text = tr("about {seconds} s left").format(seconds=max(1, round(left)))
            column.label(text=text, translate=False)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("blendwire.cancel", icon="X")

    def _draw_outcome(self, layout: Any, context: Any) -> None:
        current = session()
        outcome = current.outcome
        if outcome is not None and outcome.written:
            text = tr("Shape keys: {count} ({seconds} s)").format(
                count=outcome.written, seconds=f"{outcome.seconds:.1f}"
            )
            column = layout.column(align=True)
            column.scale_y = 0.85
            _draw_lines(column, _lines(text, context), "CHECKMARK")
        messages = current.run.outcome.messages if current.run is not None else current.messages
        for message in messages:
            box = layout.box()
            draw_message(box, message, context)
            if current.run is None:
                draw_cure(box, message)
            if message.code == "no_face_stopped":
                box.operator("blendwire.generate", text="Generate Anyway").anyway = True


class BLENDWIRE_PT_face(_Panel, bpy.types.Panel):
    """Which meshes, and which part of them"""

    bl_label = "Avatar Face"
    bl_parent_id = "BLENDWIRE_PT_main"

    def draw(self, context: Any) -> None:
        layout = self.layout
        settings = context.scene.blendwire
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "target")
        active = context.view_layer.objects.active
        if settings.target is None and active is not None and active.type == "MESH":
            text = tr("Active: {object}").format(object=active.name)
            column.label(text=text, icon="MESH_DATA", translate=False)
        for entry in settings.others:
            if entry.object is not None:
                column.label(text=entry.object.name, icon="MESH_DATA", translate=False)
        row = layout.row(align=True)
        row.operator("blendwire.add_selected", icon="ADD")
        if len(settings.others):
            row.operator("blendwire.clear_others", text="", icon="X")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "region")
        objects = properties.target_objects(context)
        if settings.region == "GROUP" and objects:
            column.prop_search(settings, "group", objects[0], "vertex_groups")
        column.prop(settings, "soft_edge")
        column.prop(settings, "facing")
        column.prop(settings, "size_factor")
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("blendwire.check", icon="VIEWZOOM")
        layout.operator_context = "EXEC_DEFAULT"
        self._draw_findings(layout, context)

    def _draw_findings(self, layout: Any, context: Any) -> None:
        findings = session().findings
        if findings is None or session().checked != properties.checked_settings(context):
            return
        if not findings and not session().busy:
            layout.label(text="Nothing is wrong", icon="CHECKMARK")
        for finding in findings:
            box = layout.box()
            draw_message(box, finding.message, context)
            draw_cure(box, finding.message, finding.object)


class BLENDWIRE_PT_expressions(_Panel, bpy.types.Panel):
    """Which shape keys, how strong, and their names"""

    bl_label = "Expressions"
    bl_parent_id = "BLENDWIRE_PT_main"

    def draw(self, context: Any) -> None:
        layout = self.layout
        settings = context.scene.blendwire
        column = layout.column(align=True)
        for name in properties.SET_LABELS:
            row = column.split(factor=0.66)
            row.prop(settings, f"use_{name}")
            value = row.row()
            value.active = getattr(settings, f"use_{name}")
            value.prop(settings, f"strength_{name}", text="", slider=True)
        if settings.use_picked:
            layout.prop(settings, "picked", text="")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        if settings.use_visemes:
            column.prop(settings, "viseme_names")
        if settings.use_emotions:
            column.prop(settings, "emotion_names")
        if settings.use_vrm:
            column.prop(settings, "vrm_names")
        column.prop(settings, "split_sides")
        if settings.split_sides:
            column.prop(settings, "split_width")
        for entry in settings.strengths:
            row = layout.row(align=True)
            row.prop(entry, "value", text=entry.name, translate=False, slider=True)
            remove = row.operator("blendwire.remove_strength", text="", icon="X")
            remove.expression = entry.name
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("blendwire.add_strength", icon="ADD")


class BLENDWIRE_PT_options(_Panel, bpy.types.Panel):
    """Smoothing, limits, what may be replaced"""

    bl_label = "Options"
    bl_parent_id = "BLENDWIRE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = self.layout
        settings = context.scene.blendwire
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "smoothing")
        layout.prop(settings, "max_displacement")
        layout.prop(settings, "overwrite")
        layout.prop(settings, "need_face")


@functools.lru_cache(maxsize=4)
def _records(text: str) -> dict[str, provenance.Record]:
    """For drawing, which happens often; not to be changed."""
    return provenance.load(text)


def _records_of(keys: Any) -> dict[str, provenance.Record]:
    return _records(keys.get(provenance.PROPERTY) or "") if keys is not None else {}


class BLENDWIRE_UL_results(bpy.types.UIList):
    """The generated shape keys of an object; data is its shape keys."""

    def filter_items(self, context: Any, data: Any, property_name: str) -> Any:
        del context
        records = _records_of(data)
        shown = self.bitflag_filter_item
        keys = getattr(data, property_name)
        return [shown if key.name in records else 0 for key in keys], []

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_property: Any,
    ) -> None:
        del context, icon, active_data, active_property
        record = _records_of(data).get(item.name)
        row = layout.split(factor=0.6)
        row.label(text=item.name, translate=False)
        if record is not None:
            row.label(text=f"{record.quality['max_mm']:.1f} mm", translate=False)


class BLENDWIRE_PT_results(_Panel, bpy.types.Panel):
    """The generated shape keys"""

    bl_label = "Results"
    bl_parent_id = "BLENDWIRE_PT_main"

    def draw(self, context: Any) -> None:
        layout = self.layout
        objects = properties.target_objects(context)
        if not objects:
            return
        obj = objects[0]
        records = _records_of(obj.data.shape_keys)
        playing = session().preview
        row = layout.row(align=True)
        row.enabled = playing is not None or bool(records)
        if playing is not None:
            row.operator("blendwire.preview", text="Stop", icon="PAUSE")
            row.label(text=playing.current, translate=False)
        else:
            row.operator("blendwire.preview", icon="PLAY")
        if not records:
            layout.label(text="No generated shape keys")
            return
        keys = obj.data.shape_keys
        layout.template_list(
            "BLENDWIRE_UL_results", "", keys, "key_blocks", obj, "active_shape_key_index", rows=6
        )
        key = obj.active_shape_key
        if key is not None and key.name in records:
            self._draw_key(layout, key, records[key.name])
        layout.operator_context = "EXEC_DEFAULT"
        layout.operator("blendwire.remove_generated", icon="TRASH")

    def _draw_key(self, layout: Any, key: Any, record: provenance.Record) -> None:
        column = layout.column(align=True)
        column.prop(key, "value", text=key.name, translate=False, slider=True)
        row = column.row(align=True)
        row.operator_context = "INVOKE_DEFAULT"
        row.operator("blendwire.regenerate", icon="FILE_REFRESH").key = key.name
        row.operator_context = "EXEC_DEFAULT"
        row.operator("blendwire.remove_generated", text="", icon="X").key = key.name
        column = layout.column(align=True)
        column.scale_y = 0.8
        quality = record.quality
        for text, value in (
            (tr("Mean"), f"{quality['mean_mm']:.1f} mm"),
            (tr("Largest"), f"{quality['max_mm']:.1f} mm"),
            (tr("Vertices"), str(quality["moving"])),
            (tr("Smoothness"), f"{quality['smoothness']:.2f}"),
        ):
            row = column.split(factor=0.45)
            row.label(text=text, translate=False)
            row.label(text=value, translate=False)
        column.label(text=f"{tr('Model')} {record.model}", translate=False)


CLASSES = (
    BLENDWIRE_UL_results,
    BLENDWIRE_PT_main,
    BLENDWIRE_PT_face,
    BLENDWIRE_PT_expressions,
    BLENDWIRE_PT_options,
    BLENDWIRE_PT_results,
)
