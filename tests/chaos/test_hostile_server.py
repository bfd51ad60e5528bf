# SPDX-License-Identifier: Apache-2.0
"""Whatever listens at the server's address, a call through the package ends in time with an error that
says something, and the process that made it, which is Blender, goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hostile_server import ANSWERS, HostileServer

TIMEOUT = 1.0  # seconds; some answers say nothing, and then the deadline ends the call

# A process of its own: what is feared would end the tests, too.
CALLER = """
import json, sys, time
import blendwire, numpy
vertices = numpy.zeros((4, 3), "float32")
items = [{"expression_type": "emotion", "expression_name": name} for name in ("Joy", "Sorrow")]
calls = {
    "single": lambda client: client.predict_vertex_offsets(vertices, "emotion", "Joy"),
    "batch": lambda client: client.predict_batch(items, vertices=vertices, timeout=float(sys.argv[2])),
    "health": lambda client: client.health(float(sys.argv[2])),
    "models": lambda client: client.list_models(),
}
for name, call in calls.items():
    client = blendwire.Client(sys.argv[1], timeout=float(sys.argv[2]), retry_attempts=2)
    began = time.monotonic()
    try:
        ended = repr(call(client))
    except blendwire.BlendwireError as error:
        ended = str(error)
    print(json.dumps([name, ended, time.monotonic() - began]), flush=True)
"""
# An empty message is one whose fields have their defaults: an unknown health, no models. What gRPC 1.51
# cannot read as a message it takes for an empty one, in calls that have a single answer.
EMPTY = ("an empty message", "a message before the headers", "a message that is none", "compressed, but not")
MAY_BE_EMPTY = {"health": "status='UNKNOWN'", "models": "[]"}


@pytest.mark.parametrize("answer", list(ANSWERS))
def test_every_call_ends_with_an_error(answer: str) -> None:
    with HostileServer(ANSWERS[answer]) as server:
        done = subprocess.run(
            [sys.executable, "-c", CALLER, server.address, str(TIMEOUT)],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert done.returncode == 0, f"the caller ended with {done.returncode}: {done.stderr}"
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, _, _ in ends] == ["single", "batch", "health", "models"]
    for name, ended, seconds in ends:
        assert seconds < TIMEOUT + 1.0, (name, ended)
        code, _, text = ended.partition(": ")
        empty = answer in EMPTY and name in MAY_BE_EMPTY and MAY_BE_EMPTY[name] in ended
        assert empty or (code.isupper() and len(text) > 5), (name, ended)
