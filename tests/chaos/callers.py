# SPDX-License-Identifier: Apache-2.0
"""The two ways of calling: the Python package, and gRPC itself as any other program would."""

from __future__ import annotations

import abc
import time
from typing import Any

import grpc
import numpy as np
from harness import meshes
from harness.stubs import pb, rpc
from workload import Call, CallAnswer, Failure, Item, ItemAnswer

import blendwire

PATIENCE = 10.0  # seconds after its deadline; a call that has not ended then is lost
KINDS = {"viseme": pb.ExpressionCondition.VISEME, "emotion": pb.ExpressionCondition.EMOTION}


class LostError(Exception):
    """The call did not end."""


class Caller(abc.ABC):
    """Makes calls to one address, one at a time."""

    @abc.abstractmethod
    def connect(self, address: str, token: str) -> None:
        """To be called again when the token has changed."""

    @abc.abstractmethod
    def make(self, call: Call) -> CallAnswer:
        """Returns when the call has ended; LostError if it does not."""


class PackageCaller(Caller):
    """Through blendwire.Client, which tries again by itself."""

    def connect(self, address: str, token: str) -> None:
        self._client = blendwire.Client(address, token=token)

    def make(self, call: Call) -> CallAnswer:
        try:
            return self._make(call)
        except blendwire.BlendwireError as error:
            return _failure(error)

    def _make(self, call: Call) -> CallAnswer:
        if call.form == "stats":
            self._wait(self._client.submit_health(call.deadline), call)
            return []
        if len(call.items) == 1 and not call.shared:
            item = call.items[0]
            job: Any = self._client.submit(
                item.vertices, item.kind, item.name, item.intensity, item.options,
                triangles=_triangles(item), model=item.model, timeout=call.deadline,
            )  # fmt: skip
            return [self._wait(job, call).offsets]
        first = call.items[0]
        job = self._client.submit_batch(
            [self._batch_item(item, call.shared) for item in call.items],
            vertices=first.vertices if call.shared else None,
            triangles=_triangles(first) if call.shared else None,
            timeout=call.deadline,
        )
        results = self._wait(job, call)
        return [_failure(r) if isinstance(r, blendwire.BlendwireError) else r.offsets for r in results]

    @staticmethod
    def _batch_item(item: Item, shared: bool) -> blendwire.BatchItem:
        made: blendwire.BatchItem = {
            "expression_type": item.kind,
            "expression_name": item.name,
            "intensity": item.intensity,
            "options": item.options,
            "model": item.model,
        }
        if not shared:
            made["vertices"], made["triangles"] = item.vertices, _triangles(item)
        return made

    @staticmethod
    def _wait(job: Any, call: Call) -> Any:
        if call.cancel_after is not None and not job.wait(call.cancel_after):
            job.cancel()
        if not job.wait(call.deadline + PATIENCE):
            raise LostError
        return job.result()


def _failure(error: blendwire.BlendwireError) -> Failure:
    return Failure(error.code.name, error.message)


def _triangles(item: Item) -> np.ndarray | None:
    return item.triangles if len(item.triangles) else None


class GrpcCaller(Caller):
    """Through grpcio; calls wait for a connection, but are not tried again."""

    _CHANNEL = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 500),
    ]

    def connect(self, address: str, token: str) -> None:
        self._channel = grpc.insecure_channel(address, options=self._CHANNEL)
        self._stub = rpc.InferenceServiceStub(self._channel)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []

    def make(self, call: Call) -> CallAnswer:
        try:
            return self._make(call)
        except grpc.FutureTimeoutError:
            raise LostError from None
        except grpc.RpcError as error:
            return Failure(error.code().name, error.details())  # type: ignore[attr-defined]
        except grpc.FutureCancelledError:
            return Failure("CANCELLED", "by this client")

    def _make(self, call: Call) -> CallAnswer:
        more = {"timeout": call.deadline, "metadata": self._metadata, "wait_for_ready": True}
        if call.form == "stats":
            request = pb.PerformanceStatsRequest(reset_stats=True)
            self._wait(self._stub.GetPerformanceStats.future(request, **more), call)
            return []
        if len(call.items) == 1 and not call.shared:
            future = self._stub.PredictVertexOffsets.future(_request(call.items[0], False), **more)
            return [meshes.offsets_of(self._wait(future, call))]
        batch = _batch(call)
        if call.form != "batch":
            return self._stream(self._stub.PredictStream(batch, **more), call)
        response = self._wait(self._stub.PredictBatch.future(batch, **more), call)
        return [_answer(item) for item in response.responses]

    @staticmethod
    def _wait(future: Any, call: Call) -> Any:
        if call.cancel_after is not None:
            try:
                return future.result(call.cancel_after)
            except grpc.FutureTimeoutError:
                future.cancel()
        return future.result(call.deadline + PATIENCE)

    @staticmethod
    def _stream(updates: Any, call: Call) -> CallAnswer:
        """An item that never came is visible: the stream then has fewer than it says."""
        began = time.monotonic()
        answers: list[ItemAnswer | None] = [None] * len(call.items)
        for update in updates:
            answers[update.index] = _answer(update.response)
            if call.cancel_after is not None and time.monotonic() - began > call.cancel_after:
                updates.cancel()
        complete = all(answer is not None for answer in answers)
        if not complete:
            return Failure("DATA_LOSS", "the stream ended with OK before every item had come")
        return [answer for answer in answers if answer is not None]


def _answer(response: Any) -> ItemAnswer:
    if response.success:
        return meshes.offsets_of(response)
    return Failure(blendwire.Code(response.status_code).name, response.error_message)


def _request(item: Item, shared: bool) -> Any:
    mesh = None if shared else meshes.Mesh(item.vertices, item.triangles)
    expression = meshes.condition(item.name, item.intensity, KINDS[item.kind])
    return meshes.request(mesh, expression, item.model, **item.options)


def _batch(call: Call) -> Any:
    first = call.items[0]
    mesh = meshes.Mesh(first.vertices, first.triangles) if call.shared else None
    return meshes.batch([_request(item, call.shared) for item in call.items], mesh)
