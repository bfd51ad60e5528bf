# SPDX-License-Identifier: Apache-2.0
"""Programs of other people, which know nothing of Blendwire but what the server tells them:
grpcurl, grpc-health-probe and ghz, as scripts/fetch-go-tools builds them."""

from __future__ import annotations

import collections
import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from harness import onnx_models, reference
from harness.meshes import batch, condition, grid, offsets_of, request
from harness.server import LAUNCHER, Server, environment, wait_until
from harness.stubs import CONTRACT, REPOSITORY, SERVICE, pb

TOOLS = REPOSITORY / ".deps/go-tools/bin"
GRPCURL, HEALTH_PROBE, GHZ = "grpcurl", "grpc-health-probe", "ghz"
ABSENT = [name for name in (GRPCURL, HEALTH_PROBE, GHZ) if not (TOOLS / name).is_file()]
pytestmark = pytest.mark.skipif(
    bool(ABSENT), reason=f"{', '.join(ABSENT)} not built: run scripts/fetch-go-tools (it needs Go)"
)

TOOL_SECONDS = 60.0
TOKEN = "a-token-of-the-tests-0123456789"
MESH = grid()
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["InferenceService"].methods]
# What grpcurl ends with on a gRPC error: 64 and the error's code.
INVALID_ARGUMENT, FAILED_PRECONDITION, UNAUTHENTICATED = 64 + 3, 64 + 9, 64 + 16
# What grpc-health-probe ends with.
PROBE_RPC_FAILED, PROBE_UNHEALTHY = 3, 4

CALLS, CONNECTIONS = 2000, 16
# gRPC has no unix sockets on Windows.
PLACES = ["tcp"] if LAUNCHER else ["tcp", "socket"]

StartServer = Callable[..., Server]
Outcome = subprocess.CompletedProcess[str]


def tool(
    name: str, *arguments: str | pathlib.Path, stdin: str = "", seconds: float = TOOL_SECONDS
) -> Outcome:
    return subprocess.run(
        [TOOLS / name, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment(),
        check=False,
    )


def grpcurl(server: Server, *verb: str, sent: Any = None, flags: tuple[str, ...] = ()) -> Outcome:
    """`verb` is what comes after the address; `sent` is a message, given as JSON on its stdin."""
    data = ["-d", "@"] if sent is not None else []
    text = json_format.MessageToJson(sent) if sent is not None else ""
    headers = [word for key, value in server.metadata for word in ("-H", f"{key}: {value}")]
    return tool(GRPCURL, "-plaintext", *headers, *flags, *data, server.address, *verb, stdin=text)


def call(server: Server, method: str, sent: Any, **more: Any) -> Outcome:
    return grpcurl(server, f"{SERVICE}/{method}", sent=sent, **more)


def output(done: Outcome) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def messages(done: Outcome, kind: Any) -> list[Any]:
    """grpcurl's answers, one JSON object after the other, as messages of `kind`."""
    text = output(done).strip()
    found = []
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        found.append(json_format.ParseDict(value, kind()))
        text = text[end:].lstrip()
    return found


def expected_offsets(models: pathlib.Path, name: str, intensity: float) -> np.ndarray:
    """[N,3]: what the everyday model makes of a viseme, by ONNX Runtime's Python package."""
    vector = reference.standard_condition("viseme", name, intensity)
    return onnx_models.run(
        models / "everyday.onnx", vertices=MESH.vertices[None], condition=vector[None],
        normals=reference.normals(MESH)[None],
    )[0]  # fmt: skip


def private_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("foreign")
    folder.chmod(0o700)
    return folder


@pytest.fixture(scope="module", params=[*PLACES, *(f"{place}-token" for place in PLACES)])
def reachable(
    request: pytest.FixtureRequest, start_shared_server: StartServer, models: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:  # fmt: skip
    """Each way to reach a server, with and without a token."""
    folder = private_folder(tmp_path_factory)
    arguments = ["--model", models / "everyday.onnx", "--workers", "2"]
    port: int | None = 0
    token = None
    if "socket" in request.param:
        arguments += ["--socket", folder / "s"]
        port = None
    if "token" in request.param:
        token = TOKEN
        file = folder / "token"
        file.write_text(TOKEN + "\n")
        file.chmod(0o600)
        arguments += ["--token-file", file]
    return start_shared_server(*arguments, token=token, port=port)


@pytest.fixture(params=[None, TOKEN[:-1] + "x"], ids=["none", "wrong"])
def refused(reachable: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with a token, whose callers have none or another one."""
    assert reachable.token == TOKEN
    reachable.token = request.param
    yield reachable
    reachable.token = TOKEN


with_token = pytest.mark.parametrize(
    "reachable", [f"{place}-token" for place in PLACES], indirect=True
)


def test_grpcurl_lists_the_services(reachable: Server) -> None:
    listed = output(grpcurl(reachable, "list")).split()
    assert {SERVICE, "grpc.health.v1.Health"} <= set(listed)


def test_grpcurl_lists_the_methods(reachable: Server) -> None:
    listed = output(grpcurl(reachable, "list", SERVICE)).split()
    assert sorted(listed) == sorted(f"{SERVICE}.{name}" for name in METHODS)


def test_grpcurl_describes_the_service(reachable: Server) -> None:
    text = output(grpcurl(reachable, "describe", SERVICE))
    lines = {line.strip() for line in text.splitlines() if line.strip().startswith("rpc ")}
    assert len(lines) == len(METHODS)
    package = "." + SERVICE.rsplit(".", 1)[0]
    assert (
        f"rpc PredictVertexOffsets ( {package}.VertexOffsetRequest ) "
        f"returns ( {package}.VertexOffsetResponse );" in lines
    )
    assert (
        f"rpc PredictStream ( {package}.BatchPredictionRequest ) "
        f"returns ( stream {package}.BatchPredictionUpdate );" in lines
    )


def test_grpcurl_describes_a_message(reachable: Server) -> None:
    """Every field with its number, as the contract has them."""
    described = pb.DESCRIPTOR.message_types_by_name["VertexOffsetRequest"]
    text = output(grpcurl(reachable, "describe", described.full_name))
    for field in described.fields:
        assert f" {field.name} = {field.number}" in text, text


def test_grpcurl_calls_health_check(reachable: Server) -> None:
    done = call(reachable, "HealthCheck", pb.HealthCheckRequest())
    (answer,) = messages(done, pb.HealthCheckResponse)
    assert answer.status == pb.HealthCheckResponse.SERVING
    assert answer.server_info.model_version == "test-1"
    assert answer.server_info.max_concurrent_requests == 2


def test_grpcurl_predicts(reachable: Server, models: pathlib.Path) -> None:
    """JSON in, JSON out, and the numbers are right."""
    asked = request(MESH, condition("oh", 0.75))
    flags = ("-v", "-H", "x-request-id: curl-1")
    done = call(reachable, "PredictVertexOffsets", asked, flags=flags)
    text = output(done)
    assert "x-request-id: curl-1" in text.split("Response contents:")[0]
    done.stdout = text.split("Response contents:")[1].split("\n\nResponse trailers")[0]
    (answer,) = messages(done, pb.VertexOffsetResponse)
    assert answer.success and answer.metadata.vertices_processed == MESH.count
    expected = expected_offsets(models, "oh", 0.75)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(offsets_of(answer), expected, rtol=0, atol=1e-5)


def test_grpcurl_streams(reachable: Server, models: pathlib.Path) -> None:
    names = reference.expression_names("viseme")
    asked = batch([request(None, condition(name)) for name in names], MESH)
    updates = messages(call(reachable, "PredictStream", asked), pb.BatchPredictionUpdate)
    assert [update.completed for update in updates] == list(range(1, len(names) + 1))
    assert sorted(update.index for update in updates) == list(range(len(names)))
    for update in updates:
        assert update.response.success and update.total == len(names)
        np.testing.assert_allclose(
            offsets_of(update.response), expected_offsets(models, names[update.index], 1.0),
            rtol=0, atol=1e-5,
        )  # fmt: skip


def test_grpcurl_shows_errors(reachable: Server) -> None:
    done = call(reachable, "PredictVertexOffsets", request(MESH, condition("nobody")))
    assert done.returncode == INVALID_ARGUMENT, done.stdout + done.stderr
    assert "Code: InvalidArgument" in done.stderr and "condition.name" in done.stderr


def test_grpcurl_without_a_model(start_server: StartServer) -> None:
    server = start_server("--no-model")
    done = call(server, "PredictVertexOffsets", request(MESH))
    assert done.returncode == FAILED_PRECONDITION, done.stdout + done.stderr


@with_token
def test_grpcurl_without_the_right_token(refused: Server) -> None:
    """Neither reflection nor a call whose types grpcurl knows from the contract's file."""
    for verb in (["list"], ["describe", SERVICE]):
        done = grpcurl(refused, *verb)
        assert done.returncode != 0 and done.stdout == "", done.stdout
        assert "token" in done.stderr and TOKEN not in done.stderr
    contract = ("-import-path", str(REPOSITORY / "proto"), "-proto", CONTRACT)
    for method, asked in (
        ("HealthCheck", pb.HealthCheckRequest()),
        ("PredictVertexOffsets", request(MESH)),
    ):
        done = call(refused, method, asked, flags=contract)
        assert done.returncode == UNAUTHENTICATED, done.stdout + done.stderr
        assert "Code: Unauthenticated" in done.stderr and TOKEN not in done.stderr


def probe(server: Server, *flags: str) -> Outcome:
    headers = [f"-rpc-header={key}: {value}" for key, value in server.metadata]
    return tool(HEALTH_PROBE, f"-addr={server.address}", *headers, *flags)


@pytest.mark.parametrize("flags", [[], [f"-service={SERVICE}"]])
def test_probe_of_a_serving_server(reachable: Server, flags: list[str]) -> None:
    done = probe(reachable, *flags)
    assert done.returncode == 0, done.stderr
    assert "status: SERVING" in done.stdout + done.stderr


def test_probe_of_an_unknown_service(reachable: Server) -> None:
    done = probe(reachable, "-service=nobody")
    assert done.returncode == PROBE_RPC_FAILED
    assert "NotFound" in done.stderr, done.stderr


@with_token
def test_probe_without_the_right_token(refused: Server) -> None:
    done = probe(refused)
    assert done.returncode == PROBE_RPC_FAILED
    assert "Unauthenticated" in done.stderr and TOKEN not in done.stderr, done.stderr


def test_probe_follows_the_model(start_server: StartServer, models: pathlib.Path) -> None:
    """No model, a model, none again."""
    server = start_server("--no-model", "--model-root", models)
    for service in ("", SERVICE):
        done = probe(server, f"-service={service}")
        assert done.returncode == PROBE_UNHEALTHY, done.stderr
        assert "NOT_SERVING" in done.stdout + done.stderr
    server.load("everyday.onnx")
    assert probe(server).returncode == 0
    server.unload()
    assert probe(server).returncode == PROBE_UNHEALTHY


def ghz(server: Server, *data: str | pathlib.Path) -> dict[str, Any]:
    """A load of CALLS predictions over CONNECTIONS connections; ghz's report. `data`: flags that say
    what to send."""
    metadata = json.dumps(dict(server.metadata))
    done = tool(
        GHZ, "--insecure", "--call", f"{SERVICE}.PredictVertexOffsets", *data,
        "--metadata", metadata, "--reflect-metadata", metadata, "--total", str(CALLS),
        "--concurrency", str(CONNECTIONS), "--connections", str(CONNECTIONS),
        "--timeout", "30s", "--format", "json", server.address,
        seconds=150,
    )  # fmt: skip
    return json.loads(output(done))


def outcomes(report: dict[str, Any]) -> collections.Counter[str]:
    """Calls by status; each is counted everywhere, and once."""
    found = collections.Counter(report["statusCodeDistribution"])
    assert report["count"] == CALLS == found.total() == len(report["details"]), found
    assert collections.Counter(detail["status"] for detail in report["details"]) == found
    print(f"ghz: {dict(found)}, {report['rps']:.0f} calls/s, mean {report['average'] / 1e6:.2f} ms")
    return found


def assert_still_right(server: Server, models: pathlib.Path) -> None:
    for name in reference.expression_names("viseme"):
        answer = server.predict(request(MESH, condition(name)))
        np.testing.assert_allclose(
            offsets_of(answer), expected_offsets(models, name, 1.0), rtol=0, atol=1e-5
        )


def test_ghz_within_the_queue(
    reachable: Server, models: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """16 callers fit: every call is answered."""
    # ghz knows the fields by the contract's names only, not by JSON's (vertexCount).
    asked = json_format.MessageToJson(
        request(MESH, condition("ee")), preserving_proto_field_name=True
    )
    (tmp_path / "request.json").write_text(asked)
    before = reachable.stats()
    found = outcomes(ghz(reachable, "--data-file", tmp_path / "request.json"))
    assert found == {"OK": CALLS}
    after = reachable.stats()
    assert after.successful_requests - before.successful_requests == CALLS
    assert after.failed_requests == before.failed_requests
    assert_still_right(reachable, models)


def test_ghz_beyond_the_queue(
    start_server: StartServer, models: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """16 callers on one worker with room for two to wait: answered or told to come again, and the
    server has counted as ghz has."""
    server = start_server(
        "--model", models / "everyday.onnx", "--model-root", models, "--workers", "1",
        "--queue", "2", "--log-level", "ERROR",
    )  # fmt: skip
    server.load("slow.onnx", "slow")
    # Some milliseconds of work for the server and a small answer, or ghz would be the slower one.
    asked = request(MESH, condition("ee", intensity=1e-4), "slow")
    (tmp_path / "request.bin").write_bytes(asked.SerializeToString())
    report = ghz(server, "--binary-file", tmp_path / "request.bin")
    found = outcomes(report)
    assert set(found) == {"OK", "ResourceExhausted"}, report["errorDistribution"]
    stats = server.stats()
    assert stats.successful_requests == found["OK"]
    assert stats.rejected_requests == found["ResourceExhausted"]
    assert stats.queued_requests == 0
    wait_until(lambda: server.stats().in_flight_requests == 0, 20, "nothing is running")
    assert_still_right(server, models)
