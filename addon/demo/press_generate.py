# SPDX-License-Identifier: Apache-2.0
"""The demo's part inside Blender: installs the add-on, opens the demo head, presses Generate.

    BLENDER_USER_RESOURCES=EMPTY-FOLDER blender -b --factory-startup --python-exit-code 1 \\
        --python addon/demo/press_generate.py -- ZIP HEAD.glb OUTPUT-FOLDER
"""

from __future__ import annotations

import pathlib
import sys

import bpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "packaging"))
from blender_install import install

# What moves with the face.
PARTS = ("Eyes", "Lashes", "Brows", "Teeth", "Tongue")


def keep_colours_for_export() -> None:
    """Blender 3.4 reads colours by face corner, but writes them to glTF as if by vertex."""
    for mesh in bpy.data.meshes:
        for old in list(mesh.color_attributes):
            if old.domain != "CORNER":
                continue
            name, of_vertex = old.name, {}
            for loop in mesh.loops:
                of_vertex[loop.vertex_index] = old.data[loop.index].color[:]
            mesh.color_attributes.remove(old)
            new = mesh.color_attributes.new(name, "BYTE_COLOR", "POINT")
            for vertex, colour in of_vertex.items():
                new.data[vertex].color = colour


def main() -> None:
    addon, head_file, output = sys.argv[sys.argv.index("--") + 1 :]
    install(str(pathlib.Path(addon).resolve()))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.import_scene.gltf(filepath=str(pathlib.Path(head_file).resolve()))
    keep_colours_for_export()
    settings = bpy.context.scene.blendwire
    settings.target = bpy.data.objects["Head"]
    for name in PARTS:
        settings.others.add().object = bpy.data.objects[name]
    # A failure raises RuntimeError with what the panel would say.
    bpy.ops.blendwire.generate("EXEC_DEFAULT", sets={"visemes", "emotions"})
    keys = bpy.data.objects["Head"].data.shape_keys.key_blocks
    print(f"Blender {bpy.app.version_string} made {len(keys) - 1} shape keys", flush=True)
    folder = pathlib.Path(output).resolve()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "avatar.blend"), compress=True)
    bpy.ops.export_scene.gltf(filepath=str(folder / "avatar.glb"), export_format="GLB")
    bpy.ops.blendwire.stop_server()


main()
