# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as the add-on: the server's care, the run, the preview, and the timer that
moves them on. There is no thread; without a window, pump_until() takes the timer's place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.checks import Finding
from ..core.messages import Message
from ..core.run import Outcome, Phase, Run
from ..core.server_care import ServerCare, State
from .native import NativeBackend, preload
from .preview import Preview

_BUSY_INTERVAL, _WATCH_INTERVAL, _IDLE_INTERVAL = 0.01, 0.25, 0.5
_REDRAW_INTERVAL = 0.1


class Session:
    """All that the panel shows and that is not in the file."""

    def __init__(self) -> None:
        self.backend = NativeBackend()
        self.care = ServerCare(self.backend)
        self.run: Run | None = None
        self.preview: Preview | None = None
        self.findings: list[Finding] | None = None  # None: not checked yet
        self.checked: object = None  # what the findings are about
        self.messages: list[Message] = []
        self.outcome: Outcome | None = None
        self.undo_count = 0
        self.panel_seen = False
        self._preloaded = False
        self._then: Callable[[Outcome], None] | None = None
        self._last_redraw = 0.0
        self._shown: tuple[object, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self.run is not None and not self.run.finished

    def begin(self, run: Run, then: Callable[[Outcome], None] | None = None) -> None:
        """Makes it the run that tick() moves on; `then` is called if it succeeds."""
        self.run = run
        self._then = then
        self.outcome = None
        self.messages = []
        if self.preview is not None:
            self.preview.stop()

    def tick(self) -> float:
        """Moves everything on for a few milliseconds; seconds until it wants to be called again."""
        interval = _WATCH_INTERVAL if self.care.state != State.STOPPED else _IDLE_INTERVAL
        self.care.tick()
        if self.panel_seen and not self._preloaded:
            # While the user still looks at the panel, not when Generate is pressed.
            self._preloaded = True
            if not self.busy:
                preload()
        if self.run is not None:
            try:
                self.run.tick()
            finally:
                if self.run.finished:
                    self.finish()
        if self.preview is not None:
            self.preview.tick()
            if self.preview.finished:
                self.preview = None
        if self.busy or self.preview is not None or self.care.state == State.STARTING:
            interval = _BUSY_INTERVAL
        if self.run is not None and self.run.phase == Phase.WRITING:
            interval = 0.0  # nothing to wait for, but Blender's turn
        self._redraw()
        return interval

    def finish(self) -> None:
        """Keeps what the finished run has to say."""
        if self.run is None:
            return
        run, self.run = self.run, None
        then, self._then = self._then, None
        if not run.settings.only_check:
            self.outcome = run.outcome
        self.messages = list(run.outcome.messages)
        if run.phase == Phase.DONE and then is not None:
            then(run.outcome)

    def cancel(self, code: str = "cancelled") -> None:
        """Ends the run, if there is one."""
        if self.run is not None:
            self.run.cancel(code)
            self.finish()

    def close(self) -> None:
        """For the add-on's removal."""
        self.cancel()
        if self.preview is not None:
            self.preview.stop()
        self.care.drop()

    def _redraw(self) -> None:
        run, preview = self.run, self.preview
        shown = (
            self.care.state,
            run and (run.phase, round(run.fraction, 2)),
            preview and preview.current,
            len(self.messages),
            [finding.message.code for finding in self.findings or ()],
            self.outcome and self.outcome.seconds,
        )
        now = time.monotonic()
        if shown == self._shown or now - self._last_redraw < _REDRAW_INTERVAL:
            return
        self._shown, self._last_redraw = shown, now
        if run is not None:
            bpy.context.window_manager.blendwire_progress = 100 * run.fraction
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                if area.type == "VIEW_3D":
                    for region in area.regions:
                        if region.type == "UI":  # the view itself is dear, and shows the same
                            region.tag_redraw()


_session: Session | None = None


def session() -> Session:
    """The one session."""
    global _session
    if _session is None:
        _session = Session()
    return _session


def pump_until(predicate: Callable[[], bool], timeout: float = 600.0) -> bool:
    """Does the timer's work until the predicate holds; whether it does. Blocks."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            return False
        session().tick()
        time.sleep(0.002)
    return True


def _timer() -> float | None:
    return session().tick() if _session is not None else None


@persistent
def _before_load(*_: Any) -> None:
    current = session()
    current.cancel("cancelled_file")
    if current.preview is not None:
        current.preview.stop()
        current.preview = None
    current.findings = None


@persistent
def _before_save(*_: Any) -> None:
    """A file gets all keys or none: what is being written, for a second at the most, is finished."""
    current = session()
    while current.run is not None and current.run.phase == Phase.WRITING:
        current.tick()


@persistent
def _after_undo(*_: Any) -> None:
    current = session()
    current.undo_count += 1
    if current.outcome is not None and current.outcome.written:
        current.outcome = None  # the keys that it speaks of may be gone
        current.messages = []


def register() -> None:
    session()
    if not bpy.app.background:
        bpy.app.timers.register(_timer, first_interval=0.1, persistent=True)
    bpy.app.handlers.load_pre.append(_before_load)
    bpy.app.handlers.save_pre.append(_before_save)
    bpy.app.handlers.undo_post.append(_after_undo)
    bpy.app.handlers.redo_post.append(_after_undo)


def unregister() -> None:
    global _session
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)
    handlers = bpy.app.handlers
    handlers.load_pre.remove(_before_load)
    handlers.save_pre.remove(_before_save)
    handlers.undo_post.remove(_after_undo)
    handlers.redo_post.remove(_after_undo)
    if _session is not None:
        _session.close()
        _session = None
