# SPDX-License-Identifier: Apache-2.0
"""LoadModel, UnloadModel, ListModels: names, options, versions, what is allowed and what changes."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from harness import onnx_models, reference
from harness.meshes import condition, grid, offsets_of, request
from harness.server import CALL_SECONDS, Server, wait_until
from harness.stubs import pb

MESH = grid()
INVALID = grpc.StatusCode.INVALID_ARGUMENT
DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, models: pathlib.Path) -> pathlib.Path:
    """A model root of this file's own, with two models in it."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copy(models / "everyday.onnx", folder / "first.onnx")
    shutil.copy(models / "other.onnx", folder / "second.onnx")
    shutil.copy(models / "bare.onnx", folder / "bare.onnx")
    return folder


@pytest.fixture(scope="module")
def loader(start_shared_server: Callable[..., Server], root: pathlib.Path) -> Server:
    return start_shared_server("--model", root / "first.onnx", "--model-root", root, "--workers", "2")


@pytest.fixture
def server(loader: Server) -> Iterator[Server]:
    """Only the default model, before and after."""
    assert list(loader.models()) == ["default"]
    expected = offsets_of(loader.predict(request(MESH)))
    yield loader
    for name in loader.models():
        if name != "default":
            loader.unload(name)
    np.testing.assert_array_equal(offsets_of(loader.predict(request(MESH))), expected)


def fails(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_load_use_unload(server: Server, root: pathlib.Path) -> None:
    answer = server.load(root / "second.onnx", "second")
    assert answer.success and answer.model_version == "test-2" and answer.error_message == ""
    predicted = server.predict(request(MESH, model="second"))
    expected = onnx_models.run(
        root / "second.onnx",
        vertices=MESH.vertices[None],
        condition=reference.standard_condition("viseme", "aa", 1.0)[None],
    )[0]
    np.testing.assert_allclose(offsets_of(predicted), expected, rtol=0, atol=1e-5)
    assert predicted.metadata.model_name == "second"
    assert predicted.metadata.model_version == "test-2"

    assert server.unload("second").success
    code, text = fails(lambda: server.predict(request(MESH, model="second")))
    assert code == NOT_FOUND and '"second"' in text
    code, text = fails(lambda: server.unload("second"))
    assert code == NOT_FOUND and '"second"' in text


def test_list(server: Server, root: pathlib.Path) -> None:
    server.load(root / "bare.onnx", "bare")
    listed = server.models()
    assert sorted(listed) == ["bare", "default"]
    default = listed["default"]
    data = (root / "first.onnx").read_bytes()
    assert default.sha256 == hashlib.sha256(data).hexdigest()
    assert (default.version, default.title) == ("test-1", "Test")
    assert (default.condition_size, list(default.condition_slots)) == (64, [])
    assert (default.takes_normals, default.max_batch) == (False, 0)
    assert default.execution_provider == "CPUExecutionProvider"
    everything = [n for kind in ("viseme", "emotion", "unit") for n in reference.expression_names(kind)]
    assert list(default.expressions) == everything

    bare = listed["bare"]
    digest = hashlib.sha256((root / "bare.onnx").read_bytes()).hexdigest()
    assert bare.version == f"sha256:{digest[:12]}"
    assert bare.max_batch == 1


def test_list_of_own_slots(server: Server, root: pathlib.Path) -> None:
    onnx_models.everyday(
        root / "slots.onnx", slots=onnx_models.OWN_SLOTS, normals=True, max_batch=7
    )
    server.load("slots.onnx", "slots")
    info = server.models()["slots"]
    assert list(info.condition_slots) == onnx_models.OWN_SLOTS
    assert (info.condition_size, info.takes_normals, info.max_batch) == (5, True, 7)
    assert {"aa", "Joy", "jawOpen", "eyeBlinkLeft", "mySmirk"} <= set(info.expressions)
    assert "tongueOut" not in info.expressions
    assert server.predict(request(MESH, condition("aa"), "slots")).success


def test_replace(server: Server, root: pathlib.Path) -> None:
    """The same name again: the new one answers."""
    server.load(root / "first.onnx", "swapped")
    first = offsets_of(server.predict(request(MESH, model="swapped")))
    assert server.load(root / "second.onnx", "swapped").model_version == "test-2"
    second = offsets_of(server.predict(request(MESH, model="swapped")))
    assert np.abs(first - second).max() > 1e-3


def test_running_requests_keep_their_model(server: Server, root: pathlib.Path) -> None:
    """A request that began before a swap ends on the old model; an unload waits for it."""
    onnx_models.slow(root / "slow.onnx")
    server.load("slow.onnx", "slow")
    made = request(MESH, condition(intensity=0.01), "slow")
    call = server.stub.PredictVertexOffsets.future(made, timeout=CALL_SECONDS)
    wait_until(lambda: server.stats().in_flight_requests == 1, 20, "it runs")
    server.load("second.onnx", "slow")
    assert server.predict(request(MESH, model="slow")).metadata.model_version == "test-2"
    assert not call.done()
    assert call.result().metadata.model_version == "slow-1"

    server.load("slow.onnx", "slow")
    call = server.stub.PredictVertexOffsets.future(made, timeout=CALL_SECONDS)
    wait_until(lambda: server.stats().in_flight_requests == 1, 20, "it runs")
    unload = server.stub.UnloadModel.future(
        pb.UnloadModelRequest(model_name="slow"), timeout=CALL_SECONDS
    )
    wait_until(lambda: "slow" not in server.models(), 20, "nobody finds it any more")
    assert call.result().success
    assert unload.result().success
    (root / "slow.onnx").unlink()


def test_unload_gives_the_memory_back(server: Server, root: pathlib.Path) -> None:
    onnx_models.large(root / "large.onnx", 96, "large-1")
    server.load("large.onnx", "large")
    server.predict(request(MESH, model="large"))
    loaded = server.resident_mib()
    server.unload("large")
    freed = loaded - server.resident_mib()
    assert freed > 80, f"only {freed} MiB came back of 96"
    (root / "large.onnx").unlink()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"device": "abacus"}, 'options["device"] is "abacus"; it must be one of auto, cpu, cuda'),
        ({"threads": "0"}, 'options["threads"] is "0"; it must be 1 to 1024'),
        ({"threads": "many"}, 'options["threads"] is "many"'),
        ({"threads": "99999"}, 'options["threads"] is "99999"'),
        ({"warmup": "perhaps"}, 'options["warmup"] is "perhaps"; it must be true or false'),
        ({"sha256": "abc"}, 'options["sha256"] is "abc"; it must be 64 hexadecimal digits'),
        ({"sha256": "0" * 64}, "was expected"),
        ({"gpu": "1"}, 'options["gpu"] is "1"; there are: device, sha256, threads, warmup'),
    ],
    ids=["device", "no-threads", "threads", "threads-many", "warmup", "sha", "sha-differs", "unknown"],
)
def test_wrong_options(server: Server, options: dict[str, str], text: str) -> None:
    code, details = fails(lambda: server.load("second.onnx", "x", **options))
    assert code == INVALID
    assert text in details
    assert "x" not in server.models()


def test_right_options(server: Server, root: pathlib.Path) -> None:
    digest = hashlib.sha256((root / "second.onnx").read_bytes()).hexdigest()
    server.load(
        "second.onnx", "x", device="cpu", threads="1", warmup="false", sha256=digest.upper()
    )
    assert server.predict(request(MESH, model="x")).metadata.model_version == "test-2"


def test_device_that_is_not_there_falls_back(server: Server) -> None:
    """With a line in the log that says so, and an honest answer about it."""
    server.load("second.onnx", "x", device="cuda")
    info = server.models()["x"]
    if info.execution_provider == "CPUExecutionProvider":
        assert "device-fallback" in server.log() and "wanted=cuda" in server.log()
        health = server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS)
        assert not health.server_info.gpu_available
    assert server.predict(request(MESH, model="x")).success


@pytest.mark.parametrize("name", ["a b", "x" * 65, "a/b", "..\n", "ä", "nul\0"])
def test_wrong_names(server: Server, name: str) -> None:
    code, text = fails(lambda: server.load("second.onnx", name))
    assert code == INVALID
    assert "it must be 1 to 64 letters, digits, '_', '-' or '.'" in text


def test_no_more_than_32(server: Server) -> None:
    for i in range(31):
        server.load("second.onnx", f"m{i}", warmup="false", threads="1")
    code, text = fails(lambda: server.load("second.onnx", "one-more"))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "there are 32 models already; unload one first" in text
    assert server.load("first.onnx", "m3").success, "replacing one is still possible"


def test_paths(server: Server, root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What a caller can name: only what really lies inside a root."""
    outside = tmp_path / "outside.onnx"
    shutil.copy(root / "second.onnx", outside)
    inside = root / "deep"
    inside.mkdir(exist_ok=True)
    shutil.copy(root / "second.onnx", inside / "m.onnx")
    (root / "out.onnx").unlink(missing_ok=True)
    (root / "out.onnx").symlink_to(outside)
    (root / "outdir").unlink(missing_ok=True)
    (root / "outdir").symlink_to(tmp_path)
    (root / "in.onnx").unlink(missing_ok=True)
    (root / "in.onnx").symlink_to(inside / "m.onnx")
    sibling = pathlib.Path(f"{root}-private")
    sibling.mkdir(exist_ok=True)
    shutil.copy(outside, sibling / "m.onnx")

    denied: list[str | pathlib.Path] = [
        outside,
        "../" + str(outside.relative_to(outside.parents[0])),
        f"{root}/../{root.name}-private/m.onnx",
        sibling / "m.onnx",
        "out.onnx",
        "outdir/outside.onnx",
        "deep/../../x.onnx",
        "/etc/passwd",
        "/proc/self/environ",
        tmp_path / "not-there.onnx",
    ]
    for path in denied:
        code, text = fails(lambda path=path: server.load(path, "x"))
        assert code == DENIED, (path, text)
        assert "outside the folders that this server may load from" in text
    for path in ("deep/m.onnx", root / "deep/m.onnx", "in.onnx", "deep/../second.onnx", "./second.onnx"):
        assert server.load(path, "x").success
    for path in ("nothing.onnx", "deep", root / "deep/none.onnx"):
        code, text = fails(lambda path=path: server.load(path, "x"))
        assert code == NOT_FOUND and "there is no such file" in text
    for path in ("", "x" * 5000, "nul\0byte.onnx"):
        code, text = fails(lambda path=path: server.load(path, "x"))
        assert code == INVALID and "model_path has" in text
    shutil.rmtree(sibling)


def test_named_pipe_is_no_model(server: Server, root: pathlib.Path) -> None:
    """It is not opened: that would wait for whoever writes to it."""
    fifo = root / "fifo.onnx"
    os.mkfifo(fifo)
    code, _ = fails(lambda: server.load(fifo, "x"))
    assert code == NOT_FOUND
    fifo.unlink()


def test_without_roots_nothing_can_be_loaded(
    start_server: Callable[..., Server], root: pathlib.Path
) -> None:
    server = start_server("--model", root / "first.onnx")
    code, text = fails(lambda: server.load(root / "second.onnx", "x"))
    assert code == DENIED
    assert "start it with --model-root FOLDER" in text


def test_several_roots(
    start_server: Callable[..., Server], root: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    shutil.copy(root / "second.onnx", tmp_path / "elsewhere.onnx")
    server = start_server("--no-model", "--model-root", root, "--model-root", tmp_path)
    assert server.load(tmp_path / "elsewhere.onnx", "x").success
    assert server.load("first.onnx", "").success, "relative to the first root"
    assert sorted(server.models()) == ["default", "x"]


def test_default_can_go_and_come(start_server: Callable[..., Server], root: pathlib.Path) -> None:
    """Health follows: no model, not serving."""
    server = start_server("--model", root / "first.onnx", "--model-root", root)

    def status() -> int:
        return server.stub.HealthCheck(pb.HealthCheckRequest(), timeout=CALL_SECONDS).status

    assert status() == pb.HealthCheckResponse.SERVING
    assert server.unload("").success
    assert status() == pb.HealthCheckResponse.NOT_SERVING
    code, text = fails(lambda: server.predict(request(MESH)))
    assert code == grpc.StatusCode.FAILED_PRECONDITION and "no model is loaded" in text
    assert server.load("second.onnx").success
    assert status() == pb.HealthCheckResponse.SERVING
    assert server.predict(request(MESH)).metadata.model_version == "test-2"


def test_concurrent_loads(server: Server) -> None:
    """Several callers at once: each gets its model."""
    calls = [
        server.stub.LoadModel.future(
            pb.LoadModelRequest(model_path=path, model_name=f"c{i}"), timeout=CALL_SECONDS
        )
        for i, path in enumerate(["first.onnx", "second.onnx"] * 4)
    ]
    began = time.monotonic()
    assert server.predict(request(MESH)).success, "predictions go on meanwhile"
    assert time.monotonic() - began < 10
    versions = [call.result().model_version for call in calls]
    assert versions == ["test-1", "test-2"] * 4
