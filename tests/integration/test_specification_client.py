# SPDX-License-Identifier: Apache-2.0
"""A client made from the specification's own proto gets the same numbers as ours."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from harness import meshes
from harness.server import Server, environment
from harness.stubs import REPOSITORY, compile_protos, pb

CASES: list[dict[str, Any]] = [
    {"condition": {"type": 0, "name": "aa", "intensity": 1.0}, "options": {}},
    {"condition": {"type": 0, "name": "vrc.v_ou", "intensity": 0.35}, "options": {}},
    {
        "condition": {"type": 1, "name": "Joy", "intensity": 0.8},
        "options": {
            "apply_smoothing": True,
            "smoothing_iterations": 3,
            "max_displacement": 0.02,
            "clamp_extreme_values": True,
            "timeout_seconds": 30,
        },
    },
    {
        "condition": {
            "type": 2,
            "name": "Custom_Expression",
            "intensity": 0.5,
            "parameters": {"jawOpen": 0.4, "eyeBlinkLeft": 0.9},
        },
        "options": {"apply_smoothing": True},
    },
    {
        "condition": {"type": 2, "intensity": 1.0, "features": [i / 64 for i in range(64)]},
        "options": {"clamp_extreme_values": True},
    },
]


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    mesh = meshes.points_only(150)
    flat = [float(x) for x in mesh.vertices.ravel()]
    return [{**case, "vertices": flat, "vertex_count": mesh.count} for case in CASES]


@pytest.fixture(scope="module")
def answers(
    shared_server: Server, cases: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the specification's client got, in a process of its own."""
    stubs = tmp_path_factory.mktemp("specification")
    (stubs / "inference.proto").write_text(
        (REPOSITORY / "tests/contract/specification.proto").read_text()
    )
    compile_protos([stubs], ["inference.proto"], stubs)
    program = pathlib.Path(__file__).parent / "harness/specification_client.py"
    shared_server.stats(reset=True)
    done = subprocess.run(
        [sys.executable, program, stubs, shared_server.address],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_predictions_are_the_same(
    server: Server, cases: list[dict[str, Any]], answers: dict[str, Any]
) -> None:
    for case, single, item in zip(cases, answers["singles"], answers["batch"], strict=True):
        ours = server.predict(
            pb.VertexOffsetRequest(
                vertices=case["vertices"],
                vertex_count=case["vertex_count"],
                condition=pb.ExpressionCondition(**case["condition"]),
                options=pb.PredictionOptions(**case["options"]),
            )
        )
        assert single["success"] and item["success"]
        assert max(np.abs(single["offsets"])) > 1e-3
        assert single["offsets"] == list(ours.offsets)
        np.testing.assert_allclose(item["offsets"], ours.offsets, rtol=0, atol=1e-5)
        quality = ours.metadata.quality
        assert single["quality"] == [
            quality.avg_displacement,
            quality.max_displacement,
            quality.extreme_vertex_count,
            quality.smoothness_score,
        ]
        assert single["vertices_processed"] == case["vertex_count"]
        assert single["model_version"] == "test-1"
        assert single["inference_time_ms"] > 0


def test_cases_differ(answers: dict[str, Any]) -> None:
    offsets = [np.array(single["offsets"]) for single in answers["singles"]]
    for i, one in enumerate(offsets):
        for other in offsets[i + 1 :]:
            assert np.abs(one - other).max() > 1e-4


def test_health(answers: dict[str, Any]) -> None:
    health = answers["health"]
    assert health["status"] == pb.HealthCheckResponse.SERVING
    assert health["message"] == "Service is healthy and ready"
    assert health["version"].count(".") == 2
    assert health["model_version"] == "test-1"
    assert health["workers"] == 2


def test_statistics_and_models(answers: dict[str, Any]) -> None:
    assert answers["all_successful"] is True
    assert answers["total_requests"] == answers["successful_requests"] == 2 * len(CASES)
    assert answers["memory"] > 10
    assert answers["loaded"] == [True, "test-2"]
    assert answers["unloaded"] is True
