# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the built add-on inside a running Blender; for the demo and the tests."""

from __future__ import annotations

import bpy
import numpy

# Blender 3.4's glTF add-on uses a name that newer numpys no longer have, such as its
# distribution's.
if "bool" not in vars(numpy):
    numpy.bool = bool


def install(path: str) -> str:
    """Installs and enables the zip; the add-on's module name."""
    if bpy.app.version >= (4, 2):
        bpy.ops.extensions.package_install_files(
            filepath=path, repo="user_default", enable_on_install=True
        )
        name = "bl_ext.user_default.blendwire"
    else:
        bpy.ops.preferences.addon_install(filepath=path, overwrite=True)
        name = "blendwire_addon"
        bpy.ops.preferences.addon_enable(module=name)
    assert name in bpy.context.preferences.addons, "the add-on is not enabled"
    return name
