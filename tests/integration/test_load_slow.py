# SPDX-License-Identifier: Apache-2.0
"""Many callers for a while: every call ends as it should, and the memory comes back.

    BLENDWIRE_LOAD_SECONDS=60     how long the 64 clients go on (20)
"""

from __future__ import annotations

import collections
import os
import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from harness import meshes, onnx_models, reference
from harness.meshes import condition, offsets_of, request
from harness.server import CALL_SECONDS, Server, wait_until

CLIENTS = 64
SECONDS = float(os.environ.get("BLENDWIRE_LOAD_SECONDS", "20"))
RELOADS = 200
FLAT_MIB = 10.0
VISEMES = reference.expression_names("viseme")

StartServer = Callable[..., Server]


def settled_mib(server: Server, models: pathlib.Path) -> float:
    """Resident memory when nothing is going on, without what the allocator merely keeps for later:
    loading a model makes the server give that back."""
    wait_until(
        lambda: (s := server.stats()).in_flight_requests + s.queued_requests == 0, 30, "it is idle"
    )
    server.load(models / "everyday.onnx", "settle", threads="1")
    time.sleep(0.2)
    return server.resident_mib()


def test_64_clients(start_server: StartServer, models: pathlib.Path) -> None:
    """Queue at 16, two workers: right answers, RESOURCE_EXHAUSTED or DEADLINE_EXCEEDED; none is
    lost, none is wrong; memory is flat after."""
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "2",
        "--queue", "16", "--log-level", "ERROR",
    )
    mesh = meshes.grid(40, 50)  # 2000 vertices
    expected = {name: offsets_of(server.predict(request(mesh, condition(name)))) for name in VISEMES}
    requests = {name: request(mesh, condition(name)) for name in VISEMES}
    batches = [meshes.batch([request(None, condition(n)) for n in VISEMES], mesh)]
    outcomes: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    lock = threading.Lock()
    end = time.monotonic() + 4.0

    def single(stub: Any, name: str) -> None:
        answer = stub.PredictVertexOffsets(requests[name], timeout=10)
        if np.abs(offsets_of(answer) - expected[name]).max() > 1e-5:
            wrong.append(name)

    def whole(stub: Any) -> None:
        answer = stub.PredictBatch(batches[0], timeout=10)
        for name, item in zip(VISEMES, answer.responses, strict=True):
            if not item.success or np.abs(offsets_of(item) - expected[name]).max() > 1e-5:
                wrong.append(f"batch {name}")

    def client(number: int) -> None:
        from harness.stubs import rpc

        with server.new_channel() as channel:
            stub = rpc.InferenceServiceStub(channel)
            turn = number
            while time.monotonic() < end:
                turn += 1
                try:
                    if turn % 8 == 0:
                        whole(stub)
                    else:
                        single(stub, VISEMES[turn % 15])
                    outcome = "OK"
                except grpc.RpcError as error:
                    outcome = error.code().name
                    if outcome == "RESOURCE_EXHAUSTED":
                        wait = dict(error.trailing_metadata())["retry-after-ms"]
                        time.sleep(min(0.2, int(wait) / 1000))
                with lock:
                    outcomes[outcome] += 1

    def all_clients() -> None:
        threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS + 60)
            assert not thread.is_alive(), "a call that never ends"

    all_clients()  # warms up what is allocated once: threads, connections, arenas
    before = settled_mib(server, models)
    outcomes.clear()
    server.stats(reset=True)
    end = time.monotonic() + SECONDS
    all_clients()
    after = settled_mib(server, models)
    stats = server.stats()
    print(f"\n{dict(outcomes)}, {before:.0f} MiB before, {after:.0f} MiB after")
    assert wrong == []
    assert set(outcomes) <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert outcomes["OK"] > 100
    assert stats.successful_requests >= outcomes["OK"]
    assert after - before < FLAT_MIB, "memory should be flat after"
    assert server.predict(requests["aa"]).success


def test_200_reloads_under_load(
    start_server: StartServer, models: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """LoadModel of one name again and again while requests use it: none fails, and each is
    answered by one of the two models, whole; the memory comes back."""
    onnx_models.large(tmp_path / "a.onnx", 8, "a")
    onnx_models.everyday(tmp_path / "b.onnx", version="b", seed=31)
    server = start_server(
        "--model", tmp_path / "a.onnx", "--model-root", tmp_path, "--model-root", models,
        "--workers", "2",
    )  # fmt: skip
    mesh = meshes.grid()
    expected = {}
    for version in ("b", "a"):
        server.load(f"{version}.onnx", "default", threads="1")
        expected[version] = offsets_of(server.predict(request(mesh)))
    stop = threading.Event()
    failures: list[str] = []
    answered: collections.Counter[str] = collections.Counter()

    def use() -> None:
        from harness.stubs import rpc

        with server.new_channel() as channel:
            stub = rpc.InferenceServiceStub(channel)
            made = request(mesh)
            while not stop.is_set():
                try:
                    answer = stub.PredictVertexOffsets(made, timeout=CALL_SECONDS)
                    version = answer.metadata.model_version
                    if np.abs(offsets_of(answer) - expected[version]).max() > 1e-5:
                        failures.append(f"wrong numbers of {version}")
                    answered[version] += 1
                except grpc.RpcError as error:
                    failures.append(f"{error.code()}: {error.details()}")
                time.sleep(0.01)

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    memory = []
    try:
        for i in range(RELOADS):
            answer = server.load("ab"[i % 2] + ".onnx", "default", threads="1")
            assert answer.model_version == "ab"[i % 2]
            if i in (19, RELOADS - 1):  # the same model is loaded at both
                memory.append(server.resident_mib())
    finally:
        stop.set()
        for user in users:
            user.join(60)
    print(f"\n{dict(answered)} answered; {memory[0]:.0f} MiB after 20, {memory[-1]:.0f} MiB after 200")
    assert failures == []
    assert min(answered["a"], answered["b"]) > 20
    assert memory[-1] - memory[0] < FLAT_MIB
    assert settled_mib(server, models) - memory[0] < FLAT_MIB


@pytest.mark.parametrize("call", ["predict", "batch", "stream"])
def test_memory_of_cancelled_calls_comes_back(
    start_server: StartServer, models: pathlib.Path, call: str
) -> None:
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "2"
    )
    mesh = meshes.points_only(30_000)
    single = request(mesh)
    many = meshes.batch([request(None, condition(name)) for name in VISEMES], mesh)

    def cancelled(rounds: int) -> None:
        for i in range(rounds):
            if call == "predict":
                running = server.stub.PredictVertexOffsets.future(single, timeout=CALL_SECONDS)
            elif call == "batch":
                running = server.stub.PredictBatch.future(many, timeout=CALL_SECONDS)
            else:
                running = server.stub.PredictStream(many, timeout=CALL_SECONDS)
            time.sleep(0.005 * (i % 12))
            running.cancel()
        wait_until(lambda: server.stats().in_flight_requests == 0, 30, "idle")

    cancelled(15)
    before = settled_mib(server, models)
    cancelled(40)
    grown = settled_mib(server, models) - before
    assert grown < 2 * FLAT_MIB, f"{grown} MiB"
    assert server.predict(single).success
