# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons for the server."""

from __future__ import annotations

from typing import Any

import bpy

from ..core.messages import Message
from ..core.server_care import State
from ..host.native import log_file
from ..host.session import pump_until, session
from .preferences import server_settings
from .reports import show


class BLENDWIRE_OT_start_server(bpy.types.Operator):
    """Start the prediction server"""

    bl_idname = "blendwire.start_server"
    bl_label = "Start Server"

    def invoke(self, context: Any, event: Any) -> set[str]:
        del context, event
        session().care.start(server_settings())
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        del context
        care = session().care
        care.start(server_settings())
        pump_until(lambda: care.state != State.STARTING, 120)
        if care.state == State.RUNNING:
            return {"FINISHED"}
        return show(self, care.message or Message("start_failed", {"reason": "timeout"}))


class BLENDWIRE_OT_restart_server(bpy.types.Operator):
    """End the server if it still runs, and start it again"""

    bl_idname = "blendwire.restart_server"
    bl_label = "Restart"

    def execute(self, context: Any) -> set[str]:
        del context
        current = session()
        current.cancel()
        current.care.restart(server_settings())
        return {"FINISHED"}


class BLENDWIRE_OT_stop_server(bpy.types.Operator):
    """Stop the prediction server"""

    bl_idname = "blendwire.stop_server"
    bl_label = "Stop Server"

    def execute(self, context: Any) -> set[str]:
        del context
        current = session()
        current.cancel()
        current.care.stop()
        if bpy.app.background:
            pump_until(lambda: current.care.state == State.STOPPED, 15)
        return {"FINISHED"}


class BLENDWIRE_OT_open_log(bpy.types.Operator):
    """Open the server's log in a text editor"""

    bl_idname = "blendwire.open_log"
    bl_label = "Open Log"

    def execute(self, context: Any) -> set[str]:
        del context
        path = log_file()
        path.touch()
        bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


CLASSES = (
    BLENDWIRE_OT_start_server,
    BLENDWIRE_OT_restart_server,
    BLENDWIRE_OT_stop_server,
    BLENDWIRE_OT_open_log,
)
