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
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import bpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases
import harness

_TIMEOUT = float(os.environ.get("BLENDWIRE_TEST_TIMEOUT", "240"))


class Window:
    """The 3D view, and what a user can do to it."""

    def __init__(self, out: str) -> None:
        self.out = pathlib.Path(out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.longest_gap = 0.0

    @property
    def area(self) -> Any:
        screen = bpy.context.window_manager.windows[0].screen
        return max((a for a in screen.areas if a.type == "VIEW_3D"), key=lambda a: a.width)

    def region(self, kind: str) -> Any:
        return next(r for r in self.area.regions if r.type == kind)

    def picture(self, name: str) -> None:
        print(f"picture {name}", flush=True)
        subprocess.run(["import", "-window", "root", str(self.out / f"{name}.png")], check=True)

    def click(self, x: float, y: float) -> None:
        """Blender counts y from the bottom, X from the top."""
        height = bpy.context.window_manager.windows[0].height
        subprocess.run(
            [
                "xdotool",
                "mousemove",
                str(int(x)),
                str(int(height - y)),
                "sleep",
                "0.3",
                "click",
                "1",
            ],
            check=True,
        )

    def key(self, keys: str) -> None:
        region = self.region("WINDOW")
        height = bpy.context.window_manager.windows[0].height
        x, y = region.x + region.width // 3, height - region.y - region.height // 2
        subprocess.run(
            ["xdotool", "mousemove", str(x), str(y), "sleep", "0.3", "key", keys], check=True
        )

    def override(self) -> Any:
        window = bpy.context.window_manager.windows[0]
        return bpy.context.temp_override(
            window=window, area=self.area, region=self.region("WINDOW")
        )


def wait(predicate: Callable[[], bool], seconds: float = 180) -> Iterator[float]:
    deadline = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < deadline, "timed out"
        yield 0.02


def pause(seconds: float) -> Iterator[float]:
    yield seconds


def steps(window: Window) -> Iterator[float]:
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.system.use_region_overlap = True
    cases.fresh_file()
    yield 0.5
    head = cases.import_head()
    for name in ("Hair",):
        bpy.data.objects[name].hide_set(False)
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
    yield from _pick_tab(window)
    yield 1.0
    window.picture("1-panel")

    # A real click on Start, by its place in the panel's first row.
    sidebar = window.region("UI")
    scale = preferences.system.ui_scale
    window.click(sidebar.x + sidebar.width * 0.8, sidebar.y + sidebar.height - 42 * scale)
    yield from wait(lambda: cases.session().care.state.value in ("starting", "running"))
    yield from wait(lambda: cases.session().care.state.value == "running")
    yield 1.0
    window.picture("2-server-ready")

    with window.override():
        bpy.ops.blendwire.check()
        bpy.context.scene.blendwire.use_arkit = True
        assert bpy.ops.blendwire.generate("INVOKE_DEFAULT") == {"FINISHED"}
    assert cases.session().busy, cases.session().messages
    yield from wait(lambda: not cases.session().busy or cases.session().run.fraction > 0.3)
    window.picture("3-working")
    yield from wait(lambda: not cases.session().busy)
    outcome = cases.session().outcome
    assert outcome.written == 73, cases.session().messages
    yield 1.0
    window.picture("4-done")
    assert len(cases.keys_of(head)) == 74
    head.active_shape_key_index = head.data.shape_keys.key_blocks.find("vrc.v_aa")
    yield from _scroll(window, "down")
    window.picture("4-results")
    yield from _scroll(window, "up")

    # One Ctrl+Z takes them all away, and nothing else.
    window.key("ctrl+z")
    yield from wait(lambda: not cases.keys_of(bpy.data.objects["Head"]))
    assert bpy.context.scene.blendwire.target is not None
    window.key("ctrl+shift+z")
    yield from wait(lambda: len(cases.keys_of(bpy.data.objects["Head"])) == 74)
    yield 0.5

    for key in ("vrc.v_aa", "Joy"):
        for name in ("Head", *cases.FACE_PARTS):
            blocks = bpy.data.objects[name].data.shape_keys.key_blocks
            if key in blocks:
                blocks[key].value = 1.0
        yield 1.0
        window.picture(f"5-{key}")
        for name in ("Head", *cases.FACE_PARTS):
            blocks = bpy.data.objects[name].data.shape_keys.key_blocks
            if key in blocks:
                blocks[key].value = 0.0

    # Cancel by a click on its button, the wide one below the progress.
    with window.override():
        bpy.ops.blendwire.generate("INVOKE_DEFAULT")
    yield from wait(lambda: not cases.session().busy or cases.session().run.fraction > 0.1)
    if cases.session().busy:
        with window.override():
            bpy.ops.blendwire.cancel()
        assert cases.session().messages[0].code == "cancelled"
    yield 0.5

    os.kill(cases.session().care.pid, 9)
    yield from wait(lambda: cases.session().care.state.value == "crashed")
    yield 1.0
    window.picture("6-crashed")

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
    print("WINDOW TEST PASSED", flush=True)


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
    panels = cases.module("ui.panels")
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
        window.area.tag_redraw()
        yield 0.5
    panels.BLENDWIRE_PT_main.draw = original
    assert drawn, "the tab cannot be found"


def main() -> None:
    options = harness.arguments()
    began = time.monotonic()
    work: list[Iterator[float]] = []
    window = Window(options.out or "out/blender")

    def start() -> None:
        cases.setup(harness.install(options.zip), options.head, options.out)
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
