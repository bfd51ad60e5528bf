# SPDX-License-Identifier: Apache-2.0
"""Results of jobs as Python values."""

from __future__ import annotations

import ctypes as c
from typing import Any

from . import _structs as s
from ._library import check, library, result_struct, text
from .job import read_metadata
from .types import ModelInfo, Prediction, PredictionMetadata, ServerHealth

_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_RESOURCES = (
    "cpu_usage_percent",
    "memory_usage_mb",
    "gpu_memory_usage_mb",
    "gpu_utilization_percent",
)


def read_prediction(job: c.c_void_p, offsets: Any) -> Prediction:
    return Prediction(offsets, read_prediction_metadata(job))


def read_prediction_metadata(job: c.c_void_p) -> PredictionMetadata:
    info = result_struct(s.PredictionInfo)
    check(library().blendwire_job_prediction(job, c.byref(info)))
    return read_metadata(info)


def read_health(job: c.c_void_p) -> ServerHealth:
    info = result_struct(s.HealthInfo)
    check(library().blendwire_job_health(job, c.byref(info)))
    return ServerHealth(
        status=_STATUSES[int(info.status)],
        message=text(info.message),
        version=text(info.version),
        model_version=text(info.model_version),
        gpu_available=bool(info.gpu_available),
        device_info=text(info.device_info),
        max_concurrent_requests=info.max_concurrent_requests,
    )


def read_stats(job: c.c_void_p) -> dict[str, Any]:
    """A dictionary with the specification's keys, and what this server knows beyond them."""
    stats = result_struct(s.Stats)
    check(library().blendwire_job_stats(job, c.byref(stats)))
    result: dict[str, Any] = {}
    for name, *_ in s.Stats._fields_:
        if name in ("struct_size", "model_count") or name in _RESOURCES:
            continue
        value = getattr(stats, name)
        result[name] = _latency(value) if isinstance(value, s.Latency) else value
    result["resource_usage"] = {name: getattr(stats, name) for name in _RESOURCES}
    result["models"] = [_model_stats(job, index) for index in range(stats.model_count)]
    return result


def _latency(value: s.Latency) -> dict[str, float]:
    return {name: getattr(value, name) for name, *_ in s.Latency._fields_}


def _model_stats(job: c.c_void_p, index: int) -> dict[str, Any]:
    model = result_struct(s.ModelStats)
    check(library().blendwire_job_model_stats(job, index, c.byref(model)))
    return {
        "model_name": text(model.model_name),
        "successful_requests": model.successful_requests,
        "failed_requests": model.failed_requests,
        "inference_time": _latency(model.inference_time),
    }


def read_loaded_version(job: c.c_void_p) -> str:
    buffer = c.create_string_buffer(256)
    check(library().blendwire_job_loaded_version(job, buffer, len(buffer)))
    return text(buffer.value)


def read_nothing(_: c.c_void_p) -> None:
    return None


def read_models(job: c.c_void_p) -> list[ModelInfo]:
    count = c.c_size_t()
    check(library().blendwire_job_model_count(job, c.byref(count)))
    return [_model(job, index) for index in range(count.value)]


def _model(job: c.c_void_p, index: int) -> ModelInfo:
    info = result_struct(s.ModelInfo)
    check(library().blendwire_job_model(job, index, c.byref(info)))
    return ModelInfo(
        name=text(info.name),
        version=text(info.version),
        title=text(info.title),
        execution_provider=text(info.execution_provider),
        condition_size=info.condition_size,
        condition_slots=tuple(
            text(info.condition_slots[i]) for i in range(info.condition_slot_count)
        ),
        takes_normals=bool(info.takes_normals),
        max_batch=info.max_batch,
        expressions=tuple(text(info.expressions[i]) for i in range(info.expression_count)),
        sha256=text(info.sha256),
    )
