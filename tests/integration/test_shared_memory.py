# SPDX-License-Identifier: Apache-2.0
"""Answers in memory that server and caller share: the same numbers, only what both sides agreed to,
and nothing left behind. tests/chaos has it under fire, through the client library."""

from __future__ import annotations

import mmap
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from conftest import StartServer
from harness import meshes
from harness.meshes import condition, grid, offsets_of, request
from harness.server import CALL_SECONDS, LAUNCHER, Server, wait_until
from harness.stubs import pb

FOLDER = pathlib.Path("/dev/shm")
MESH = grid(30, 20)
BYTES = MESH.count * 12
SIZE = 1 << 20

WINDOWS = bool(LAUNCHER)
needs_shared_memory = pytest.mark.skipif(
    WINDOWS or not FOLDER.is_dir(), reason="Windows servers share no memory"
)


def names() -> set[str]:
    """Blendwire's shared memory that can still be opened by a name."""
    return {entry.name for entry in FOLDER.glob("blendwire-" + "[0-9a-f]" * 16)}


class Region:
    """A region for as long as its call lasts, with the client library's manners: it takes the name
    away."""

    def __init__(self, server: Server, size: int = SIZE) -> None:
        self.call = server.stub.ShareMemory(
            pb.ShareMemoryRequest(size=size), metadata=server.metadata
        )
        self.given = next(self.call)
        path = FOLDER / self.given.name.lstrip("/")
        with path.open("rb") as file:
            self.memory = mmap.mmap(file.fileno(), self.given.size, prot=mmap.PROT_READ)
        path.unlink()

    def place(self, message: Any, offset: int = 0) -> Any:
        message.answer_place.region_id = self.given.region_id
        message.answer_place.offset = offset
        return message

    def read(self, count: int, offset: int = 0) -> np.ndarray:
        return np.frombuffer(self.memory, np.float32, 3 * count, offset).reshape(-1, 3)

    def close(self) -> None:
        self.call.cancel()


@pytest.fixture(scope="module")
def sharing(start_shared_server: StartServer, models: pathlib.Path) -> Server:
    return start_shared_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--shared-memory", "8"
    )


@pytest.fixture
def region(sharing: Server) -> Iterator[Region]:
    region = Region(sharing)
    yield region
    region.close()


@needs_shared_memory
def test_a_single_answer(sharing: Server, region: Region) -> None:
    options = {"apply_smoothing": True, "clamp_extreme_values": True}
    message = request(MESH, condition("oh"), **options)
    expected = sharing.predict(message)
    assert not expected.offsets_are_shared
    for offset in (0, 4, SIZE - BYTES):
        answer = sharing.predict(region.place(message, offset))
        assert answer.offsets_are_shared and not answer.offsets
        assert np.array_equal(region.read(MESH.count, offset), offsets_of(expected))
        assert answer.metadata.quality == expected.metadata.quality


@needs_shared_memory
def test_batches_and_streams(sharing: Server, region: Region) -> None:
    wanted = ["aa", "oh", "ou", "nonsense", "E"]
    plain = [request(None, condition(name)) for name in wanted]
    expected = sharing.batch(meshes.batch(plain, MESH)).responses
    # One of them has no place, and one fails.
    items = [region.place(request(None, condition(name)), i * BYTES) for i, name in enumerate(wanted)]
    items[4].ClearField("answer_place")
    message = meshes.batch(items, MESH)
    updates = sorted(sharing.stub.PredictStream(message, timeout=CALL_SECONDS), key=lambda u: u.index)
    for answers in ([u.response for u in updates], sharing.batch(message).responses):
        for i, (answer, one) in enumerate(zip(answers, expected, strict=True)):
            assert answer.success == one.success == (wanted[i] != "nonsense")
            assert answer.offsets_are_shared == (i < 3)
            got = region.read(MESH.count, i * BYTES) if i < 3 else offsets_of(answer)
            assert np.array_equal(got, offsets_of(one))


@needs_shared_memory
@pytest.mark.skipif(
    "thread" in os.environ.get("BLENDWIRE_SANITIZED", ""),
    reason="this caller has all its answers written to one place at once, which is a race of its own",
)
def test_places_do_not_count_for_the_message(sharing: Server, region: Region) -> None:
    """100 MB of answers are too much for a message, but not if they are not in it."""
    big = meshes.points_only(60_000)
    big = meshes.Mesh(big.vertices, np.array([[0, 1, 2]], np.uint32))
    items = [region.place(request(None, condition("aa"))) for _ in range(150)]
    assert all(item.success for item in sharing.batch(meshes.batch(items, big)).responses)
    for item in items:
        item.ClearField("answer_place")
    with pytest.raises(grpc.RpcError, match="PredictStream"):
        sharing.batch(meshes.batch(items, big))


@needs_shared_memory
@pytest.mark.parametrize("offset", [-4, 2, SIZE, SIZE - BYTES + 4, 2**62, -(2**63)])
def test_nothing_outside_the_region(sharing: Server, region: Region, offset: int) -> None:
    with pytest.raises(grpc.RpcError, match=rf"answer_place.offset is {offset}") as caught:
        sharing.predict(region.place(request(MESH, condition("aa")), offset))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@needs_shared_memory
def test_a_region_that_is_not_there(sharing: Server) -> None:
    """The answer is sent: a caller cannot know when exactly a region goes."""
    closed = Region(sharing)
    closed.close()
    expected = sharing.predict(request(MESH, condition("aa")))
    message = closed.place(request(MESH, condition("aa")))
    wait_until(lambda: not sharing.predict(message).offsets_are_shared, 10, "the region is closed")
    for region_id in (closed.given.region_id, b"", b"\0" * 16, b"x" * 1000):
        message.answer_place.region_id = region_id
        assert np.array_equal(offsets_of(sharing.predict(message)), offsets_of(expected))


@needs_shared_memory
def test_all_regions_have_a_limit(sharing: Server) -> None:
    first = Region(sharing, 5 << 20)
    with pytest.raises(grpc.RpcError, match="--shared-memory") as caught:
        Region(sharing, 5 << 20)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    first.close()

    def opens() -> bool:
        try:
            Region(sharing, 5 << 20).close()
        except grpc.RpcError:
            return False
        return True

    wait_until(opens, 10, "the first region's bytes are free again")
    for size in (0, -1):
        with pytest.raises(grpc.RpcError, match="size is") as caught:
            Region(sharing, size)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_only_where_the_server_was_told_to(server: Server) -> None:
    with pytest.raises(grpc.RpcError, match="--shared-memory") as caught:
        Region(server)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.skipif(not WINDOWS, reason="that is for Windows")
def test_cleanly_absent_on_windows(start_server: StartServer, models: pathlib.Path) -> None:
    server = start_server("--model", models / "everyday.onnx", "--shared-memory", "8")
    with pytest.raises(grpc.RpcError, match="Windows") as caught:
        Region(server)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    message = request(MESH, condition("aa"))
    message.answer_place.region_id = b"x" * 16
    assert len(server.predict(message).offsets) == 3 * MESH.count


@needs_shared_memory
def test_the_token_is_asked_for(start_server: StartServer, models: pathlib.Path) -> None:
    server = start_server("--model", models / "everyday.onnx", managed=True, token="t" * 32)
    Region(server).close()
    with pytest.raises(grpc.RpcError) as caught:
        next(server.stub.ShareMemory(pb.ShareMemoryRequest(size=SIZE)))
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


@needs_shared_memory
def test_it_ends_with_the_server(start_server: StartServer, models: pathlib.Path) -> None:
    server = start_server("--model", models / "everyday.onnx", "--shared-memory", "8")
    region = Region(server)
    assert server.predict(region.place(request(MESH, condition("aa")))).offsets_are_shared
    server.ask_to_end()
    assert region.call.code() == grpc.StatusCode.OK, "the server ends the call, before it goes"
    assert server.await_end() == 0
    assert region.read(MESH.count).any(), "what was written can still be read"


CALLER = """
import sys, time
import blendwire, numpy as np
client = blendwire.Client(sys.argv[1])
mesh = np.random.default_rng(0).uniform(-0.1, 0.1, (5000, 3)).astype(np.float32)
triangles = np.array([[0, 1, 2]], np.uint32)
for _ in range(200):
    client.predict_vertex_offsets(mesh, "viseme", "aa", triangles=triangles)
print("done", flush=True)
time.sleep(60)
"""


def mappings(pid: int) -> int:
    """The regions that a process has mapped."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return sum("/dev/shm/blendwire-" in line for line in maps.splitlines())


@needs_shared_memory
@pytest.mark.skipif(
    "BLENDWIRE_SANITIZED" in os.environ,
    reason="Python cannot load a library that needs a sanitizer's runtime",
)
@pytest.mark.parametrize("killed", ["client", "server"])
def test_nothing_is_left_of_the_client_librarys(
    start_server: StartServer, models: pathlib.Path, killed: str
) -> None:
    before = names()
    server = start_server("--model", models / "everyday.onnx", "--shared-memory", "64")
    library = pathlib.Path(os.environ["BLENDWIRE_BIN"]).resolve().parent / "lib"
    environment = {
        **os.environ,
        "PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[2] / "python"),
        "BLENDWIRE_CLIENT_LIBRARY": str(library / "libblendwire_client.so.1"),
    }
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, server.address],
        stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        assert caller.stdout is not None and caller.stdout.readline() == "done\n"
        assert mappings(caller.pid) == 1 and mappings(server.process.pid) == 1
        if killed == "client":
            caller.kill()
            caller.wait()
            wait_until(lambda: mappings(server.process.pid) == 0, 10, "the server lets go of it")
        else:
            server.process.send_signal(signal.SIGKILL)
            wait_until(lambda: mappings(caller.pid) == 0, 10, "the client lets go of it")
            server.await_end()
        # Waited for: other tests' names are there for moments, what is left stays.
        wait_until(lambda: names() <= before, 10, "no name is left")
    finally:
        caller.kill()
        caller.wait()
