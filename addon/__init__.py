# SPDX-License-Identifier: GPL-3.0-or-later
"""Blendwire: press one button, get the shape keys.

core/ decides, without Blender; host/ reads and writes meshes and owns the timer; ui/ is what the
user sees. No Python thread is ever started: the client library works on threads of its own and is
polled from a timer.
"""

bl_info = {  # for Blender before 4.2, which reads it without running this file
    "name": "Blendwire",
    "author": "Blendwire authors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > Blendwire",
    "description": "Shape keys for visemes, emotions and face tracking, predicted on this computer",
    "category": "Mesh",
}

import contextlib

import bpy

from .host import native, session
from .ui import (
    cures,
    list_operators,
    operators,
    panels,
    preferences,
    properties,
    server_operators,
    translations,
)

_CLASSES = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *server_operators.CLASSES,
    *operators.CLASSES,
    *list_operators.CLASSES,
    *cures.CLASSES,
    *panels.CLASSES,
)


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    translations.register()
    session.register()
    if bpy.app.version < (4, 2):
        # Now, while the user waits for the installation anyway, not at the first Generate.
        with contextlib.suppress(OSError):  # it is tried again then, and the panel says why
            native.unpack()


def unregister() -> None:
    """Called by Blender when it is switched off, before an update too."""
    session.unregister()
    translations.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
