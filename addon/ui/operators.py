# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. Each operator also works from Python; generate, regenerate and check block
there (execute), and return at once when a button calls them (invoke)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..core import checks, expressions
from ..core.gather import Joint, NothingToSend, gather
from ..core.messages import ERROR, Message, Stop
from ..core.plan import removable
from ..core.run import FACE_WARN, Outcome, Phase, Run
from ..core.transforms import Frame
from ..host import meshes
from ..host.blender_host import BlenderHost
from ..host.preview import Preview
from ..host.session import pump_until, session
from . import properties
from .preferences import server_settings
from .reports import show, tr


def check(context: Any) -> list[checks.Finding]:
    """Keeps for the panel what may be wrong with the chosen meshes."""
    current = session()
    current.findings = find_problems(context)
    current.checked = properties.checked_settings(context)
    return current.findings


def _host_of(context: Any) -> BlenderHost:
    """For the chosen meshes and their region."""
    scene = context.scene
    return BlenderHost(
        [o.name for o in properties.target_objects(context)],
        properties.region_of(scene.blendwire),
        lambda: session().undo_count,
        scene.unit_settings.scale_length,
    )


def gather_face(context: Any, frame: Frame) -> Joint:
    """What the server would get, without a soft edge.

    Raises:
        NothingToSend: No vertex lies in the region.
        Stop: The region cannot be read.
    """
    sources = list(_host_of(context).read_steps())[-1]
    return gather(sources or [], frame)


def find_problems(context: Any) -> list[checks.Finding]:
    """Everything that may be wrong with the chosen meshes."""
    objects = properties.target_objects(context)
    if not objects:
        return [checks.Finding(Message("no_mesh"))]
    found = [f for o in objects for f in checks.check_object(meshes.facts_of(o))]
    if any(f.blocks for f in found):
        return found
    settings = context.scene.blendwire
    frame = properties.frame_of(context.scene)
    try:
        joint = gather_face(context, frame)
    except Stop as stop:
        return [*found, checks.Finding(stop.message)]
    except NothingToSend:
        return [*found, checks.Finding(Message("empty_region"))]
    return found + checks.check_joint(joint.vertices, objects[0].name, settings.facing)


# ---- generate ----


def note_score(outcome: Outcome) -> None:
    """A finding if a check says that this is not much of a face."""
    score, findings = outcome.face_score, session().findings
    if score is not None and score < FACE_WARN and findings is not None:
        findings.append(checks.Finding(Message("no_face_found", {"score": score})))


def begin_run(
    context: Any,
    specs: list[expressions.KeySpec],
    then: Callable[[Outcome], None] | None = None,
    **changes: Any,
) -> Run:
    """Starts a run, which the timer moves on; `changes` are to the panel's settings, `then` is
    called if it succeeds.

    Raises:
        Stop: It cannot begin.
    """
    current = session()
    if current.busy:
        raise Stop("busy")
    objects = properties.target_objects(context)
    if not objects:
        raise Stop("no_mesh")
    for obj in objects:
        for finding in checks.check_object(meshes.facts_of(obj)):
            if finding.blocks:
                raise Stop(finding.message.code, **finding.message.params)
    scene = context.scene
    settings = dataclasses.replace(properties.run_settings(scene, specs), **changes)
    run = Run(
        _host_of(context),
        current.care,
        server_settings(),
        settings,
        is_call_error=current.backend.is_error,
    )
    current.begin(run, then)
    return run


class StartsRun:
    """An operator that starts a run: a button returns at once, a script when the run is done."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        del context
        return not session().busy

    def begin(self, context: Any) -> None:
        """Starts it; raises Stop if it cannot."""
        raise NotImplementedError

    def finish(self) -> set[str]:
        """Blocks until the run is done."""
        current = session()
        run = current.run
        assert run is not None
        if not pump_until(lambda: run.finished, 24 * 3600):
            current.cancel()
        for message in run.outcome.messages:
            kind = "ERROR" if message.severity == ERROR else "INFO"
            # An ERROR report makes bpy.ops raise RuntimeError: a batch script must notice.
            self.report({kind}, f"{message.text(tr)}. {message.cure(tr)}")
        return {"FINISHED"} if run.phase == Phase.DONE else {"CANCELLED"}

    def invoke(self, context: Any, event: Any) -> set[str]:
        del event
        session().messages = []
        try:
            self.begin(context)
        except Stop as stop:
            return show(self, stop.message)
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        result = self.invoke(context, None)
        return self.finish() if result == {"FINISHED"} else result


class BLENDWIRE_OT_check(StartsRun, bpy.types.Operator):
    """Look for what could spoil the result"""

    bl_idname = "blendwire.check"
    bl_label = "Check"

    def begin(self, context: Any) -> None:
        """Looks at the meshes; where nothing speaks against it, the server is asked, too, whether
        it finds a face."""
        if not any(finding.blocks for finding in check(context)):
            begin_run(context, [], then=note_score, only_check=True)

    def finish(self) -> set[str]:
        if session().busy and super().finish() == {"CANCELLED"}:
            return {"CANCELLED"}
        found = session().findings or []
        for finding in found:
            self.report({"WARNING"}, str(finding.message))
        if not found:
            self.report({"INFO"}, tr("Nothing is wrong"))
        return {"FINISHED"}


class BLENDWIRE_OT_generate(StartsRun, bpy.types.Operator):
    """Make the shape keys of the chosen sets"""

    bl_idname = "blendwire.generate"
    bl_label = "Generate"

    sets: EnumProperty(
        name="Sets",
        description="Instead of the panel's; none takes the panel's",
        items=tuple((n, label, "") for n, label in properties.SET_LABELS.items()),
        options={"ENUM_FLAG", "SKIP_SAVE"},
    )
    expressions: StringProperty(
        name="Expressions",
        description="Names of expressions, separated by commas",
        options={"SKIP_SAVE"},
    )
    anyway: BoolProperty(
        name="Anyway",
        description="Also if no face is recognised, this time",
        options={"SKIP_SAVE"},
    )

    def begin(self, context: Any) -> None:
        changes = {"need_face": False} if self.anyway else {}
        begin_run(context, self._specs(context), **changes)

    def _specs(self, context: Any) -> list[expressions.KeySpec]:
        settings = context.scene.blendwire
        sets = [name for name in properties.SET_LABELS if name in self.sets]
        if self.expressions and "picked" not in sets:
            sets.append("picked")
        return properties.key_specs(
            settings,
            sets or properties.chosen_sets(settings),
            self.expressions or settings.picked,
        )


class BLENDWIRE_OT_cancel(bpy.types.Operator):
    """Stop the work; nothing is written"""

    bl_idname = "blendwire.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        del context
        session().cancel()
        return {"FINISHED"}


class BLENDWIRE_OT_regenerate(StartsRun, bpy.types.Operator):
    """Make this shape key again with the settings of the panel"""

    bl_idname = "blendwire.regenerate"
    bl_label = "Regenerate"

    key: StringProperty(name="Key", options={"SKIP_SAVE"})

    def begin(self, context: Any) -> None:
        for obj in properties.target_objects(context):
            record = meshes.records_of(obj.data).get(self.key)
            if record is not None:
                begin_run(context, [spec_of_record(self.key, record)])
                return
        raise Stop("not_generated", name=self.key)


def spec_of_record(key: str, record: Any) -> expressions.KeySpec:
    """What made a key, to make it again."""
    if record.expression in expressions.table():
        request = expressions.find(record.expression).request
        return expressions.KeySpec(key, record.set, record.expression, request, record.side)
    for spec in expressions.keys_of_set(record.set):
        if spec.expression == record.expression:
            return expressions.KeySpec(
                key, record.set, record.expression, spec.request, record.side
            )
    raise Stop("unknown_expression", name=record.expression)


# ---- results ----


class BLENDWIRE_OT_remove_generated(bpy.types.Operator):
    """Remove the shape keys that Blendwire made; hand-made ones and ones edited since stay"""

    bl_idname = "blendwire.remove_generated"
    bl_label = "Remove Generated"
    bl_options = {"REGISTER", "UNDO"}

    key: StringProperty(
        name="Key", description="Only this one; all if empty", options={"SKIP_SAVE"}
    )
    include_edited: BoolProperty(
        name="Edited Ones Too",
        description="Also those that were edited since",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        del context
        return not session().busy

    def execute(self, context: Any) -> set[str]:
        removed: set[str] = set()
        for obj in properties.target_objects(context):
            removed.update(self._remove(obj))
        self.report({"INFO"}, tr("Shape keys removed: {count}").format(count=len(removed)))
        return {"FINISHED"} if removed else {"CANCELLED"}

    def _remove(self, obj: Any) -> list[str]:
        states, basis = meshes.key_states(obj)
        states.pop(basis or "", None)
        gone, _ = removable(states, include_edited=self.include_edited)
        if self.key:
            gone = [name for name in gone if name == self.key]
        records = meshes.records_of(obj.data)
        for name in gone:
            obj.shape_key_remove(obj.data.shape_keys.key_blocks[name])
            del records[name]
        if gone:
            meshes.set_records(obj.data, records)
            obj.data.update()
        return gone


class BLENDWIRE_OT_preview(bpy.types.Operator):
    """Play the generated shape keys one after another; press again to stop"""

    bl_idname = "blendwire.preview"
    bl_label = "Preview"

    def execute(self, context: Any) -> set[str]:
        current = session()
        if current.preview is not None:
            current.preview.stop()
            current.preview = None
            return {"FINISHED"}
        objects = properties.target_objects(context)
        records = {k: r for o in objects for k, r in meshes.records_of(o.data).items()}
        visemes = [k for k, r in records.items() if r.set == "visemes"]
        current.preview = Preview([o.name for o in objects], visemes or list(records))
        if current.preview.finished:
            current.preview = None
            return show(
                self, Message("not_generated", {"name": objects[0].name if objects else ""})
            )
        return {"FINISHED"}


CLASSES = (
    BLENDWIRE_OT_check,
    BLENDWIRE_OT_generate,
    BLENDWIRE_OT_cancel,
    BLENDWIRE_OT_regenerate,
    BLENDWIRE_OT_remove_generated,
    BLENDWIRE_OT_preview,
)
