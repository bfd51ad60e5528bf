# SPDX-License-Identifier: Apache-2.0
"""The wheel: complete, and working from a folder that it was merely unpacked into.

BLENDWIRE_TEST_BUILD names a build folder with client library and server.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

BUILD = os.environ.get("BLENDWIRE_TEST_BUILD")
pytestmark = pytest.mark.skipif(BUILD is None, reason="BLENDWIRE_TEST_BUILD is not set")

SCRIPT = pathlib.Path(__file__).parents[1] / "build_wheel.py"
USE = """
import numpy, blendwire
with blendwire.ManagedServer.start() as server, server.client() as client:
    print(blendwire.__file__)
    print(client.predict_vertex_offsets(numpy.zeros((3, 3)), "viseme", "aa").shape)
"""


def build(output: pathlib.Path) -> pathlib.Path:
    made = subprocess.run(
        [sys.executable, SCRIPT, "--build", str(BUILD), "--output", output],
        capture_output=True,
        text=True,
        check=True,
    )
    return pathlib.Path(made.stdout.strip())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_record_is_right(wheel: pathlib.Path) -> None:
    assert wheel.name.startswith("blendwire-0.1.0-py3-none-linux")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        rows = csv.reader(io.StringIO(archive.read(names[-1]).decode()))
        recorded = {row[0]: row for row in rows}
        assert set(recorded) == set(names)
        assert len(names) == len(set(names))
        for name in names[:-1]:
            data = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert recorded[name][1:] == [f"sha256={digest}", str(len(data))]


def test_it_has_everything(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        modes = {e.filename: e.external_attr >> 16 & 0o777 for e in archive.infolist()}
    assert modes["blendwire/_native/blendwire-server"] == 0o755
    assert modes["blendwire/_native/libblendwire_client.so.1"] == 0o755
    assert modes["blendwire/_native/models/default.onnx"] == 0o644
    assert "blendwire/py.typed" in modes
    assert not [name for name in modes if "test" in name or "__pycache__" in name]


def test_the_same_files_give_the_same_wheel(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_it_works_unpacked_as_blender_does(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Blender's unpacker drops the permission to execute."""
    folder = tmp_path / "extensions ünï"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    assert not os.access(folder / "blendwire" / "_native" / "blendwire-server", os.X_OK)
    numpy_folder = str(pathlib.Path(np.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,  # not where this package lies, which would be found first
        env={"PYTHONPATH": f"{folder}:{numpy_folder}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [str(folder / "blendwire" / "__init__.py"), "(3, 3)"]
