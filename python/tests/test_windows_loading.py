# SPDX-License-Identifier: Apache-2.0
"""How the library is loaded on Windows, tried on this system with files that stand for it."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from blendwire import _library, _windows
from blendwire.errors import NotFoundError


@pytest.fixture
def library(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "たろう site-packages" / "blendwire" / "_native"
    folder.mkdir(parents=True)
    path = folder / "blendwire_client.dll"
    path.write_bytes(b"version one")
    return path


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "たろう profile" / "blendwire" / "lib"


def test_copy_is_made_once(library: pathlib.Path, folder: pathlib.Path) -> None:
    copy = _windows.loadable_copy(library, folder)
    assert copy.parent == folder and copy.read_bytes() == b"version one"
    assert copy.name.startswith("blendwire_client-") and copy.suffix == ".dll"
    made = copy.stat().st_mtime_ns
    assert _windows.loadable_copy(library, folder) == copy
    assert copy.stat().st_mtime_ns == made, "it is not written again: a program may use it"
    assert [path.name for path in folder.iterdir()] == [copy.name]


def test_package_can_be_replaced_while_its_copy_is_used(
    library: pathlib.Path, folder: pathlib.Path
) -> None:
    old = _windows.loadable_copy(library, folder)
    library.write_bytes(b"version two")
    new = _windows.loadable_copy(library, folder)
    assert new != old and new.read_bytes() == b"version two"
    assert not old.exists(), "nobody uses it any more"


def test_copy_in_use_stays(
    library: pathlib.Path, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _windows.loadable_copy(library, folder)
    library.write_bytes(b"version two")

    def refuse(self: pathlib.Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "in use", str(self))

    monkeypatch.setattr(pathlib.Path, "unlink", refuse)
    new = _windows.loadable_copy(library, folder)
    assert old.exists() and new.exists()


def test_loader_takes_the_copy(
    library: pathlib.Path, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.delenv("BLENDWIRE_CLIENT_LIBRARY", raising=False)
    monkeypatch.setattr(_library.sys, "platform", "win32")
    monkeypatch.setattr(_library, "NATIVE_FOLDER", library.parent)
    monkeypatch.setattr(_library.c, "CDLL", lambda path: loaded.append(path))
    monkeypatch.setenv("LOCALAPPDATA", str(folder.parents[1]))
    _library._load()
    (path,) = loaded
    assert pathlib.Path(path).parent == folder
    assert pathlib.Path(path).read_bytes() == b"version one"


def test_loader_without_a_profile_takes_the_package_s_own(
    library: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.delenv("BLENDWIRE_CLIENT_LIBRARY", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(_library.sys, "platform", "win32")
    monkeypatch.setattr(_library, "NATIVE_FOLDER", library.parent)
    monkeypatch.setattr(_library.c, "CDLL", lambda path: loaded.append(path))
    _library._load()
    assert loaded == [str(library)]


def test_server_beside_the_package_is_found(
    library: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has no server beside it."""
    monkeypatch.setattr(_library.sys, "platform", "win32")
    monkeypatch.setattr(_library, "NATIVE_FOLDER", library.parent)
    program = library.parent / "blendwire-server.exe"
    assert _library.bundled_server() is None
    program.write_bytes(b"MZ")
    assert _library.bundled_server() == program


def test_library_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(126, "The specified module could not be found", path)

    monkeypatch.setattr(_library.c, "CDLL", refuse)
    with pytest.raises(NotFoundError, match="install the blendwire wheel for this system"):
        _library._load()
