# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which server, on which device, with which model."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..core.server_care import ServerSettings
from ..host.native import ADDON, log_file


class BLENDWIRE_AP_preferences(bpy.types.AddonPreferences):
    """Edit > Preferences > Add-ons > Blendwire"""

    bl_idname = ADDON

    address: StringProperty(
        name="Server Address",
        description="Of a server that runs already, e.g. 127.0.0.1:50051; empty for a private one",
    )
    program: StringProperty(
        name="Server Program",
        description="Empty for the one that came with the add-on",
        subtype="FILE_PATH",
    )
    model: StringProperty(
        name="Model",
        description="An ONNX file, or the folder of one; empty for the default model",
        subtype="FILE_PATH",
    )
    device: EnumProperty(
        name="Device",
        description="What the model runs on",
        items=(
            ("auto", "Automatic", "The graphics card if it can be used, else the CPU"),
            ("cpu", "CPU", "The processor"),
            ("cuda", "CUDA", "An NVIDIA graphics card"),
            ("directml", "DirectML", "A graphics card on Windows"),
            ("coreml", "Core ML", "Apple's chips"),
        ),
    )
    log_level: EnumProperty(
        name="Log Level",
        description="How much the server writes into its log",
        items=(
            ("ERROR", "Errors", ""),
            ("WARNING", "Warnings", ""),
            ("INFO", "Normal", ""),
            ("DEBUG", "Everything", ""),
        ),
        default="INFO",
    )

    def draw(self, context: Any) -> None:
        del context
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "address")
        private = layout.column()
        private.enabled = not self.address
        private.prop(self, "program")
        private.prop(self, "model")
        private.prop(self, "device")
        private.prop(self, "log_level")
        layout.operator("blendwire.open_log", icon="TEXT")


def preferences() -> Any:
    """The add-on's preferences; None if it runs without being enabled as an add-on."""
    entry = bpy.context.preferences.addons.get(ADDON)
    return entry.preferences if entry is not None else None


def server_settings() -> ServerSettings:
    """For the server's care."""
    chosen = preferences()
    if chosen is None:
        return ServerSettings(log_file=str(log_file()))
    return ServerSettings(
        address=chosen.address.strip(),
        program=bpy.path.abspath(chosen.program) if chosen.program else "",
        model=bpy.path.abspath(chosen.model) if chosen.model else "",
        device=chosen.device,
        log_level=chosen.log_level,
        log_file=str(log_file()),
    )


CLASSES = (BLENDWIRE_AP_preferences,)
