# SPDX-License-Identifier: Apache-2.0
"""The structs of blendwire.h, field for field; a test compares the two."""

from __future__ import annotations

import ctypes as c


class ClientOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("address", c.c_char_p),
        ("token", c.c_char_p),
        ("timeout_ms", c.c_int64),
        ("channels", c.c_int32),
        ("max_message_bytes", c.c_int32),
        ("retry_max_attempts", c.c_int32),
        ("keepalive_without_calls", c.c_int32),
        ("retry_max_total_ms", c.c_int64),
        ("retry_initial_backoff_ms", c.c_int64),
        ("retry_max_backoff_ms", c.c_int64),
        ("retry_multiplier", c.c_double),
        ("retry_jitter", c.c_double),
        ("keepalive_time_ms", c.c_int64),
        ("keepalive_timeout_ms", c.c_int64),
    ]


class CallOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("timeout_ms", c.c_int64),
        ("request_id", c.c_char_p),
        ("max_attempts", c.c_int32),
    ]


class Mesh(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("vertices", c.c_void_p),
        ("vertex_count", c.c_size_t),
        ("vertex_stride", c.c_size_t),
        ("triangles", c.c_void_p),
        ("triangle_count", c.c_size_t),
    ]


class Expression(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("kind", c.c_int32),
        ("intensity", c.c_float),
        ("name", c.c_char_p),
        ("features", c.c_void_p),
        ("feature_count", c.c_size_t),
        ("parameter_names", c.POINTER(c.c_char_p)),
        ("parameter_weights", c.c_void_p),
        ("parameter_count", c.c_size_t),
    ]


class PredictionOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("apply_smoothing", c.c_int32),
        ("smoothing_iterations", c.c_int32),
        ("max_displacement", c.c_float),
        ("clamp_extreme_values", c.c_int32),
        ("timeout_seconds", c.c_int32),
    ]


class PredictRequest(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("mesh", c.POINTER(Mesh)),
        ("expression", c.POINTER(Expression)),
        ("options", c.POINTER(PredictionOptions)),
        ("model", c.c_char_p),
        ("offsets", c.c_void_p),
        ("offset_vertex_count", c.c_size_t),
        ("offset_stride", c.c_size_t),
    ]


class BatchRequest(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("mesh", c.POINTER(Mesh)),
        ("items", c.POINTER(PredictRequest)),
        ("item_count", c.c_size_t),
        ("max_parallel", c.c_int32),
    ]


class PredictionInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("code", c.c_int32),
        ("queue_time_ms", c.c_float),
        ("preprocessing_time_ms", c.c_float),
        ("inference_time_ms", c.c_float),
        ("postprocessing_time_ms", c.c_float),
        ("vertices_processed", c.c_int32),
        ("extreme_vertices", c.c_int32),
        ("mean_displacement", c.c_float),
        ("max_displacement", c.c_float),
        ("smoothness", c.c_float),
        ("model_name", c.c_char * 128),
        ("model_version", c.c_char * 128),
        ("execution_provider", c.c_char * 64),
    ]


class HealthInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("status", c.c_int32),
        ("gpu_available", c.c_int32),
        ("max_concurrent_requests", c.c_int32),
        ("message", c.c_char * 512),
        ("version", c.c_char * 64),
        ("model_version", c.c_char * 128),
        ("device_info", c.c_char * 256),
    ]


class Latency(c.Structure):
    _fields_ = [
        ("count", c.c_int64),
        ("mean_ms", c.c_float),
        ("p50_ms", c.c_float),
        ("p95_ms", c.c_float),
        ("p99_ms", c.c_float),
        ("max_ms", c.c_float),
    ]


class Stats(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("total_requests", c.c_int64),
        ("successful_requests", c.c_int64),
        ("failed_requests", c.c_int64),
        ("rejected_requests", c.c_int64),
        ("cancelled_requests", c.c_int64),
        ("deadline_exceeded_requests", c.c_int64),
        ("in_flight_requests", c.c_int32),
        ("queued_requests", c.c_int32),
        ("avg_inference_time_ms", c.c_float),
        ("max_inference_time_ms", c.c_float),
        ("min_inference_time_ms", c.c_float),
        ("uptime_seconds", c.c_float),
        ("total_time", Latency),
        ("queue_time", Latency),
        ("preprocessing_time", Latency),
        ("inference_time", Latency),
        ("postprocessing_time", Latency),
        ("cpu_usage_percent", c.c_float),
        ("memory_usage_mb", c.c_float),
        ("gpu_memory_usage_mb", c.c_float),
        ("gpu_utilization_percent", c.c_float),
        ("model_count", c.c_size_t),
    ]


class ModelStats(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("successful_requests", c.c_int64),
        ("failed_requests", c.c_int64),
        ("inference_time", Latency),
        ("model_name", c.c_char * 128),
    ]


class ModelInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("name", c.c_char_p),
        ("version", c.c_char_p),
        ("title", c.c_char_p),
        ("execution_provider", c.c_char_p),
        ("sha256", c.c_char_p),
        ("condition_size", c.c_int32),
        ("takes_normals", c.c_int32),
        ("max_batch", c.c_int32),
        ("condition_slots", c.POINTER(c.c_char_p)),
        ("condition_slot_count", c.c_size_t),
        ("expressions", c.POINTER(c.c_char_p)),
        ("expression_count", c.c_size_t),
    ]


class LoadRequest(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("path", c.c_char_p),
        ("name", c.c_char_p),
        ("option_names", c.POINTER(c.c_char_p)),
        ("option_values", c.POINTER(c.c_char_p)),
        ("option_count", c.c_size_t),
    ]


class ServerOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("program", c.c_char_p),
        ("arguments", c.POINTER(c.c_char_p)),
        ("argument_count", c.c_size_t),
        ("environment", c.POINTER(c.c_char_p)),
        ("environment_count", c.c_size_t),
        ("log_file", c.c_char_p),
        ("start_timeout_ms", c.c_int64),
        ("max_crashes", c.c_int32),
        ("crash_window_ms", c.c_int64),
    ]
