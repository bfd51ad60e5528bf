# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands and eyes of the window test: real clicks and keys, pictures, and a heart that beats."""

from __future__ import annotations

import pathlib
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import scenes


class Window:
    """The 3D view, and what a user can do to it."""

    def __init__(self, out: str) -> None:
        self.out = pathlib.Path(out)
        self.out.mkdir(parents=True, exist_ok=True)
        self._sent: subprocess.Popen[bytes] | None = None

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
        """Blender counts y from the bottom, X from the top. Does not wait for it: Blender must
        have noticed that the mouse is above a button before the button is pressed."""
        height = bpy.context.window_manager.windows[0].height
        place = [str(int(x)), str(int(height - y))]
        move = ["mousemove", str(int(x) - 3), place[1], "sleep", "0.3", "mousemove", *place]
        self._send([*move, "sleep", "0.5", "click", "1"])

    def _send(self, commands: list[str]) -> None:
        if self._sent is not None:
            self._sent.wait()
        self._sent = subprocess.Popen(["xdotool", *commands])

    def press(self, offset: float) -> None:
        """Clicks the button that is so far below the sidebar's top, at an interface scale of 1."""
        sidebar = self.region("UI")
        scale = bpy.context.preferences.system.ui_scale
        y = sidebar.y + sidebar.height - offset * scale
        self.click(sidebar.x + sidebar.width * 0.48, y)

    def key(self, keys: str) -> None:
        region = self.region("WINDOW")
        height = bpy.context.window_manager.windows[0].height
        x, y = region.x + region.width // 3, height - region.y - region.height // 2
        self._send(["mousemove", str(x), str(y), "sleep", "0.5", "key", keys])

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


class Heart:
    """Beats as often as Blender's main loop lets it; the longest pauses between beats, by phase.

    A pause is whatever the main thread did: a tick of the add-on, drawing, evaluating the mesh.
    """

    def __init__(self) -> None:
        self.longest: dict[str, list[float]] = {}
        self._phase = ""
        self._stopped = False
        self._last = (time.perf_counter(), time.thread_time())
        bpy.app.timers.register(self._beat)

    def stop(self) -> None:
        self._stopped = True

    def _beat(self) -> float | None:
        if self._stopped:
            return None
        now = (time.perf_counter(), time.thread_time())
        pauses = [round((b - a) * 1000, 1) for a, b in zip(self._last, now)]
        known = self.longest.get(self._phase, [0.0, 0.0])
        if self._phase:
            self.longest[self._phase] = [max(pair) for pair in zip(known, pauses)]
        self._last = now
        run = scenes.session().run
        self._phase = run.phase.value if run is not None else "idle"
        return 0.001
