# SPDX-License-Identifier: GPL-3.0-or-later
"""The normals of a mesh's corners, put off while keys are written.

Before Blender 4.1 a mesh with *Auto Smooth*, as imported meshes with custom normals have, gets them
worked out in each evaluation, which is two thirds of what it takes (tests/blender/own_costs.py).
New keys do not change them, and Blender evaluates the mesh many times until all keys are there.
"""

from __future__ import annotations

import bpy


class PutOffNormals:
    """Meshes whose *Auto Smooth* is switched off until bring_back(). Known by name, since an undo
    replaces all objects (and brings back the setting as it was)."""

    def __init__(self) -> None:
        self._meshes: dict[str, str] = {}  # mesh -> an object that has it

    def put_off(self, obj: bpy.types.Object) -> None:
        """Leaves them out of the next evaluations of the object's mesh."""
        if getattr(obj.data, "use_auto_smooth", False):
            obj.data.use_auto_smooth = False
            self._meshes[obj.data.name] = obj.name

    def bring_back(self) -> None:
        """Has them worked out again, on all meshes."""
        for name, holder in self._meshes.items():
            mesh = bpy.data.meshes.get(name)
            if mesh is None and holder in bpy.data.objects:  # the mesh was renamed
                mesh = bpy.data.objects[holder].data
            if mesh is not None:
                mesh.use_auto_smooth = True
        self._meshes.clear()
