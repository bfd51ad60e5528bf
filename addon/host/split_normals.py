# SPDX-License-Identifier: GPL-3.0-or-later
"""The normals of a mesh's corners, put off while keys are written.

Before Blender 4.1 a mesh with *Auto Smooth*, as imported meshes with custom normals have, gets them
worked out in each evaluation, which is two thirds of what it takes (tests/blender/own_costs.py).
New keys do not change them, and Blender evaluates the mesh many times until all keys are there.
"""

from __future__ import annotations

import bpy


class PutOffNormals:
    """Meshes whose *Auto Smooth* is switched off for now. By name: an undo replaces all objects,
    and brings back the setting as it was."""

    def __init__(self) -> None:
        self._meshes: set[str] = set()

    def put_off(self, mesh: bpy.types.Mesh) -> None:
        """Leaves them out of the next evaluations."""
        if getattr(mesh, "use_auto_smooth", False):
            mesh.use_auto_smooth = False
            self._meshes.add(mesh.name)

    def bring_back(self) -> None:
        """Has them worked out again, on all meshes."""
        for name in self._meshes:
            mesh = bpy.data.meshes.get(name)
            if mesh is not None:
                mesh.use_auto_smooth = True
        self._meshes.clear()
