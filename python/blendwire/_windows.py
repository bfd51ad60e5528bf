# SPDX-License-Identifier: Apache-2.0
"""Windows keeps the file of a loaded library from being replaced or removed: an update of the package
would fail for as long as a program, such as Blender, uses it. So a copy is loaded, not the package's
own file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil


def copies_folder() -> pathlib.Path | None:
    """Where copies lie, in the user's own profile; None if the system does not say where that is."""
    profile = os.environ.get("LOCALAPPDATA")
    return pathlib.Path(profile) / "blendwire" / "lib" if profile else None


def loadable_copy(library: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The copy in `folder` of this very library, made if there is none.

    Its name has the library's SHA-256, so that each version has its own. Copies of other versions go,
    unless a program uses them.

    Raises:
        OSError: The copy cannot be made.
    """
    digest = hashlib.sha256(library.read_bytes()).hexdigest()[:16]
    copy = folder / f"{library.stem}-{digest}{library.suffix}"
    if not copy.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copyfile(library, partial)
        try:
            partial.replace(copy)
        except OSError:
            partial.unlink()
            if not copy.is_file():  # else another program was faster, and uses it already
                raise
    for other in folder.glob(f"{library.stem}-*{library.suffix}"):
        if other != copy:
            with contextlib.suppress(OSError):  # in use
                other.unlink()
    return copy
