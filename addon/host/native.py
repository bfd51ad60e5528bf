# SPDX-License-Identifier: GPL-3.0-or-later
"""The blendwire package (client library, server, model) and the folders that the add-on uses.

Blender 4.2 and later install the add-on's wheel by themselves. Earlier ones do not: there the wheel
is unpacked once into the user's folder, by content, so that an update never overwrites a library
that is loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import pathlib
import shutil
import stat
import sys
import zipfile
from typing import Any

import bpy

from ..core.server_care import ServerSettings, model_file

ADDON = __package__.rpartition(".")[0]
"""The add-on's module name, which differs between extensions and classic add-ons."""

_ROOT = pathlib.Path(__file__).resolve().parents[1]


def user_folder(name: str = "") -> pathlib.Path:
    """A folder of the add-on's own in the user's profile; made if it is missing."""
    if hasattr(bpy.utils, "extension_path_user") and ADDON.startswith("bl_ext."):
        path = bpy.utils.extension_path_user(ADDON, path=name, create=True)
    else:
        path = bpy.utils.user_resource(
            "DATAFILES", path=os.path.join("blendwire", name), create=True
        )
    return pathlib.Path(path)


def log_file() -> pathlib.Path:
    """Where the server's log goes."""
    return user_folder() / "blendwire-server.log"


def package() -> Any:
    """The blendwire package.

    Raises:
        ImportError: It is neither installed nor among the add-on's files.
    """
    try:
        return importlib.import_module("blendwire")
    except ModuleNotFoundError as error:
        if error.name != "blendwire":
            raise
    folder = unpack()
    if folder is None:
        raise ImportError("the add-on's wheels/ folder has no blendwire wheel")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    importlib.invalidate_caches()
    return importlib.import_module("blendwire")


def preload() -> None:
    """Imports the package and loads its library, if that can be done. What is wrong is said when
    it is needed."""
    with contextlib.suppress(Exception):
        package().client_version()


def unpack() -> pathlib.Path | None:
    """The folder that holds the wheel's files; unpacks it the first time, which takes half a
    second. None if the add-on has no wheel."""
    wheels = sorted((_ROOT / "wheels").glob("blendwire-*.whl"))
    if not wheels:
        return None
    wheel = wheels[-1]
    with zipfile.ZipFile(wheel) as archive:
        # Names and checksums stand for the contents, of which there are 20 MB to read.
        contents = repr([(i.filename, i.file_size, i.CRC) for i in archive.infolist()])
        digest = hashlib.sha256(contents.encode()).hexdigest()[:12]
        folder = user_folder("lib") / f"{wheel.name.split('-')[1]}-{digest}"
        if folder.is_dir():
            return folder
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            archive.extractall(partial)
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            if not folder.is_dir():  # else another Blender was faster
                raise
    return folder


def bundled_server(client_package: Any) -> pathlib.Path | None:
    """The server that came with the package, made executable: zip files lose that."""
    name = "blendwire-server.exe" if sys.platform == "win32" else "blendwire-server"
    program = pathlib.Path(client_package.__file__).parent / "_native" / name
    if not program.is_file():
        return None
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program


def memory_budget_mib() -> int:
    """What the server may use: a quarter of this computer's memory, 2 to 8 GiB.

    Its own default of 2 GiB is for machines that it shares; 200,000 vertices need a little more.
    """
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        total = 0
    return min(max(total // 4 >> 20, 2048), 8192)


class NativeBackend:
    """core.server_care.Backend with the real package."""

    def submit_start(self, settings: ServerSettings) -> Any:
        client_package = package()
        arguments = ["--device", settings.device, "--log-level", settings.log_level]
        arguments += ["--memory-budget", str(memory_budget_mib())]
        arguments += ["--grace", "0.5"]  # when Blender is gone, nobody waits for an answer
        if settings.model:
            arguments += ["--model", model_file(settings.model)]
        program: Any = settings.program or None
        if program is None and not os.environ.get("BLENDWIRE_SERVER"):
            program = bundled_server(client_package)
        # What Blender was started with must not reach the server's own libraries.
        environment = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "LD_LIBRARY_PATH"))
        return client_package.ManagedServer.submit_start(
            program,
            arguments,
            environment=environment,
            log_file=settings.log_file or None,
        )

    def connect(self, address: str) -> Any:
        return package().Client(address)

    def is_error(self, error: Exception) -> bool:
        loaded = sys.modules.get("blendwire")
        kind = getattr(loaded, "BlendwireError", None)
        return kind is not None and isinstance(error, kind)
