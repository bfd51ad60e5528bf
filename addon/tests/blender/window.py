# SPDX-License-Identifier: GPL-3.0-or-later
"""Uses the add-on in a real window, as a user does, and takes pictures of it.

    BLENDER_USER_RESOURCES=EMPTY xvfb-run -s "-screen 0 1600x1000x24" blender --factory-startup \\
        -p 0 0 1600 1000 --python window.py -- --zip … --head … --out out/blender

The steps are a generator that a timer of Blender's moves on; the add-on's own timer does the work
in between. Clicks and keys are real: xdotool sends them to the X server.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any

import bpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness
import scenes
from desktop import Heart, Window, wait

_TIMEOUT = float(os.environ.get("BLENDWIRE_TEST_TIMEOUT", "1400"))


def lines_of(*texts: str, message: bool = False) -> int:
    """So many lines these take in the panel."""
    window = bpy.context.window_manager.windows[0]
    sidebar = WINDOW.region("UI")
    panels = scenes.module("ui.panels")
    beside = panels._BESIDE_MESSAGE if message else panels._BESIDE_TEXT
    with bpy.context.temp_override(window=window, area=WINDOW.area, region=sidebar):
        return sum(len(panels._lines(text, bpy.context, beside)) for text in texts)


def info_lines() -> int:
    """So many lines about model and device stand above the buttons."""
    return 1 + lines_of(scenes.session().care.info.device)


# Where the buttons are while a server runs, in pixels below the sidebar's top.
def generate_button() -> float:
    return 77 + 16 * info_lines()


def cancel_button() -> float:
    return 140 + 16 * info_lines()


def check_button() -> float:
    others = len(bpy.context.scene.blendwire.others)
    return generate_button() + 207 + 22 * others


def cure_button() -> float:
    """Below the one message that there is."""
    (message,) = scenes.session().messages
    return generate_button() + 45 + 17 * lines_of(message.text(), message.cure(), message=True)


def steps(window: Window) -> Iterator[float]:
    head = yield from _show_head(window)
    yield from _start_server(window)
    yield from _check(window)
    yield from _cure(window, head)
    yield from _generate(window, head)
    yield from _show_keys(window)
    yield from _undo_and_redo(window)
    yield from _languages(window)
    yield from _crash(window)
    yield from _no_face(window)
    yield from _large_mesh(window)
    yield from _preferences(window)
    print("WINDOW TEST PASSED", flush=True)


def _show_head(window: Window) -> Iterator[float]:
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.system.use_region_overlap = True
    scenes.fresh_file()
    yield 0.5
    head = scenes.import_head()
    bpy.data.objects["Hair"].hide_set(False)
    yield from _look_at(window, head)
    yield from _pick_tab(window)
    yield 1.0
    window.picture("1-panel")
    return head


def _look_at(window: Window, head: Any) -> Iterator[float]:
    space = window.area.spaces.active
    space.show_region_ui = True
    space.shading.type = "MATERIAL" if os.environ.get("BLENDWIRE_TEST_MATERIAL") else "SOLID"
    space.shading.color_type = "MATERIAL"
    space.overlay.show_floor = False
    yield 0.5
    with window.override():
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.object.select_all(action="DESELECT")
        head.select_set(True)
        bpy.context.view_layer.objects.active = head
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.ed.undo_push(message="Ready")
    yield 0.5
    sidebar = window.region("UI")
    if hasattr(sidebar, "active_panel_category"):
        with contextlib.suppress(TypeError, AttributeError):
            sidebar.active_panel_category = "Blendwire"


def _start_server(window: Window) -> Iterator[float]:
    """A click on Start, by its place in the panel's first row."""
    sidebar = window.region("UI")
    scale = bpy.context.preferences.system.ui_scale
    window.click(sidebar.x + sidebar.width * 0.8, sidebar.y + sidebar.height - 42 * scale)
    yield from wait(lambda: scenes.session().care.state.value in ("starting", "running"))
    yield from wait(lambda: scenes.session().care.state.value == "running")
    yield 1.0
    window.picture("2-server-ready")


def _check(window: Window) -> Iterator[float]:
    assert scenes.session().findings is None
    window.press(check_button())
    yield from wait(lambda: scenes.session().findings is not None, 20)
    yield from wait(lambda: not scenes.session().busy)
    assert scenes.session().findings == [], scenes.session().findings
    yield 0.5


def _cure(window: Window, head: Any) -> Iterator[float]:
    """Edit Mode: Generate says that it will not do, and the button below leaves it."""
    with window.override():
        bpy.ops.object.mode_set(mode="EDIT")
    yield 0.5
    window.press(generate_button())
    yield from wait(lambda: scenes.session().messages, 20)
    assert [m.code for m in scenes.session().messages] == ["edit_mode"]
    yield 1.5
    window.picture("2-edit-mode")
    window.press(cure_button())
    yield from wait(lambda: head.mode == "OBJECT", 20)
    yield from wait(lambda: not scenes.session().messages, 20)
    yield 1.5


def _generate(window: Window, head: Any) -> Iterator[float]:
    bpy.context.scene.blendwire.use_arkit = True
    with window.override():
        bpy.ops.ed.undo_push(message="ARKit")  # as a click on the box would do
    yield 0.5
    window.press(generate_button())
    yield from wait(lambda: scenes.session().busy, 20)
    yield from wait(lambda: not scenes.session().busy or scenes.session().run.fraction > 0.3)
    window.picture("3-working")
    yield from wait(lambda: not scenes.session().busy)
    outcome = scenes.session().outcome
    assert outcome.written == 73, scenes.session().messages
    yield 1.0
    window.picture("4-done")
    assert len(scenes.keys_of(head)) == 74
    head.active_shape_key_index = head.data.shape_keys.key_blocks.find("vrc.v_aa")
    window.area.tag_redraw()
    yield 1.0
    yield from _scroll(window, "down")
    window.picture("4-results")
    yield from _scroll(window, "up")


def _undo_and_redo(window: Window) -> Iterator[float]:
    """One Ctrl+Z takes all keys away, and nothing else."""
    window.key("ctrl+z")
    yield from wait(lambda: not scenes.keys_of(bpy.data.objects["Head"]))
    assert bpy.context.scene.blendwire.target is not None
    assert bpy.context.scene.blendwire.use_arkit
    window.key("ctrl+shift+z")
    yield from wait(lambda: len(scenes.keys_of(bpy.data.objects["Head"])) == 74)
    yield 0.5


def _show_keys(window: Window) -> Iterator[float]:
    for key in ("vrc.v_aa", "Joy"):
        _set_key(key, 1.0)
        yield 1.0
        window.picture(f"5-{key}")
        _set_key(key, 0.0)


def _set_key(key: str, value: float) -> None:
    for name in ("Head", *scenes.FACE_PARTS):
        blocks = bpy.data.objects[name].data.shape_keys.key_blocks
        if key in blocks:
            blocks[key].value = value


def _large_mesh(window: Window) -> Iterator[float]:
    """The longest pauses with a large mesh; and a click on Cancel."""
    scenes.fresh_file()
    yield 0.5
    with window.override():
        head = scenes.dense_head(int(os.environ.get("BLENDWIRE_TEST_VERTICES", "60000")))
    yield from _look_at(window, head)
    yield from _pick_tab(window)
    yield 1.0
    bpy.context.scene.blendwire.use_arkit = True
    heart = Heart()
    yield 2.0
    window.press(generate_button())
    yield from wait(lambda: scenes.session().busy, 20)
    yield from wait(lambda: not scenes.session().busy, 300)
    yield 0.5
    heart.stop()
    assert scenes.session().outcome.written == 73, scenes.session().messages
    scenes.report(
        "window_large_mesh",
        vertices=len(head.data.vertices),
        longest_pause_ms_wall_and_cpu=heart.longest,
    )
    with window.override():
        bpy.ops.blendwire.remove_generated()
    yield 0.5
    window.press(generate_button())
    yield from wait(lambda: scenes.session().busy, 20)
    yield from wait(lambda: scenes.session().run.seconds_left is not None)
    yield 0.3
    window.press(cancel_button())
    yield from wait(lambda: not scenes.session().busy, 10)
    assert scenes.session().messages[0].code == "cancelled", scenes.session().messages
    assert list(scenes.keys_of(head)) in ([], ["Basis"])
    yield 0.5


def _crash(window: Window) -> Iterator[float]:
    os.kill(scenes.session().care.pid, 9)
    yield from wait(lambda: scenes.session().care.state.value == "crashed")
    yield 1.0
    window.picture("6-crashed")
    assert bpy.ops.blendwire.restart_server() == {"FINISHED"}
    yield from wait(lambda: scenes.session().care.state.value == "running")


def _no_face(window: Window) -> Iterator[float]:
    """Suzanne has none that the model knows: the panel says so, and nothing is written."""
    scenes.fresh_file()
    yield 0.5
    with window.override():
        bpy.ops.mesh.primitive_monkey_add()
    suzanne = bpy.context.view_layer.objects.active
    yield from _look_at(window, suzanne)
    yield from _pick_tab(window)
    yield 1.0
    window.press(generate_button())
    yield from wait(lambda: scenes.session().messages, 60)
    yield 1.0
    window.picture("8-no-face")
    assert scenes.session().messages[0].code == "no_face_stopped", scenes.session().messages
    assert scenes.keys_of(suzanne) == {}


def _preferences(window: Window) -> Iterator[float]:
    """They open in a window of their own."""
    with window.override():
        bpy.ops.preferences.addon_show(module=scenes.addon_name())
    yield 2.0
    window.picture("9-preferences")


def _languages(window: Window) -> Iterator[float]:
    preferences = bpy.context.preferences
    for language in ("ja_JP", "ko_KR", "zh_HANS" if bpy.app.version >= (4, 0) else "zh_CN"):
        try:
            preferences.view.language = language
        except TypeError:
            print("no language", language)
            continue
        preferences.view.use_translate_interface = True
        preferences.view.use_translate_tooltips = True
        yield 1.5
        window.picture(f"7-{language}")
    preferences.view.language = "en_US"
    yield 1.0


def _scroll(window: Window, direction: str) -> Iterator[float]:
    """The sidebar, to its other end."""
    scroll = getattr(bpy.ops.view2d, f"scroll_{direction}")
    with bpy.context.temp_override(
        window=bpy.context.window_manager.windows[0],
        area=window.area,
        region=window.region("UI"),
    ):
        for _ in range(60):
            scroll()
    window.area.tag_redraw()
    yield 1.0


def _pick_tab(window: Window) -> Iterator[float]:
    """Before 4.2 a tab can only be clicked: tries places along the tabs until ours is drawn."""
    drawn: list[bool] = []
    panels = scenes.module("ui.panels")
    original = panels.BLENDWIRE_PT_main.draw

    def draw(self: Any, context: Any) -> None:
        drawn.append(True)
        original(self, context)

    panels.BLENDWIRE_PT_main.draw = draw
    window.area.tag_redraw()
    yield 0.5
    sidebar = window.region("UI")
    for offset in range(60, 600, 40):
        if drawn:
            break
        window.click(sidebar.x + sidebar.width - 8, sidebar.y + sidebar.height - offset)
        yield 1.5
        window.area.tag_redraw()
        yield 0.5
    panels.BLENDWIRE_PT_main.draw = original
    assert drawn, "the tab cannot be found"


OPTIONS = harness.arguments()
WINDOW = Window(OPTIONS.out or "out/blender")


def main() -> None:
    options, window = OPTIONS, WINDOW
    began = time.monotonic()
    work: list[Iterator[float]] = []

    def start() -> None:
        scenes.setup(harness.install(options.zip), options.head, options.out)
        work.append(steps(window))

    def move() -> float:
        code = None
        try:
            if not work:
                start()
                return 0.5
            assert time.monotonic() - began < _TIMEOUT, "the test took too long"
            return next(work[0])
        except StopIteration:
            code = 0
        except BaseException:
            traceback.print_exc()
            window.picture("failed")
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    bpy.app.timers.register(move, first_interval=1.0, persistent=True)


main()
