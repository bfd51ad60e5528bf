# SPDX-License-Identifier: Apache-2.0
"""Finds and loads the C library, and tells ctypes what its functions take."""

from __future__ import annotations

import ctypes as c
import functools
import os
import pathlib
import sys
from typing import Any

from . import _structs as s
from ._windows import copies_folder, loadable_copy
from .errors import FailedPreconditionError, NotFoundError, make_error

ABI_VERSION = 1
PENDING = -1
SERVER_NAME = "blendwire-server"
NATIVE_FOLDER = pathlib.Path(__file__).resolve().parent / "_native"

_handle = c.c_void_p
_code = c.c_int32
_call = c.POINTER(s.CallOptions)
_job_out = c.POINTER(c.c_void_p)

# Functions that return a code, and what they take.
_CODE_FUNCTIONS: dict[str, list[Any]] = {
    "client_create": [c.POINTER(s.ClientOptions), _job_out],
    "client_create_for_server": [_handle, c.POINTER(s.ClientOptions), _job_out],
    "submit_health": [_handle, _call, _job_out],
    "submit_predict": [_handle, c.POINTER(s.PredictRequest), _call, _job_out],
    "submit_batch": [_handle, c.POINTER(s.BatchRequest), _call, _job_out],
    "submit_stats": [_handle, c.c_int32, _call, _job_out],
    "submit_load_model": [_handle, c.POINTER(s.LoadRequest), _call, _job_out],
    "submit_unload_model": [_handle, c.c_char_p, _call, _job_out],
    "submit_list_models": [_handle, _call, _job_out],
    "submit_server_start": [c.POINTER(s.ServerOptions), _job_out],
    "submit_server_restart": [_handle, _job_out],
    "submit_server_stop": [_handle, c.c_int64, _job_out],
    "job_poll": [_handle],
    "job_wait": [_handle, c.c_int64],
    "job_health": [_handle, c.POINTER(s.HealthInfo)],
    "job_prediction": [_handle, c.POINTER(s.PredictionInfo)],
    "job_stats": [_handle, c.POINTER(s.Stats)],
    "job_model_stats": [_handle, c.c_size_t, c.POINTER(s.ModelStats)],
    "job_loaded_version": [_handle, c.c_char_p, c.c_size_t],
    "job_model_count": [_handle, c.POINTER(c.c_size_t)],
    "job_model": [_handle, c.c_size_t, c.POINTER(s.ModelInfo)],
    "job_item": [_handle, c.c_size_t, c.POINTER(s.PredictionInfo)],
    "job_take_server": [_handle, _job_out],
    "server_check": [_handle],
}

# The others: result, arguments.
_OTHER_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "abi_version": (c.c_uint32, []),
    "version": (c.c_char_p, []),
    "last_error": (c.c_char_p, []),
    "client_free": (None, [_handle]),
    "client_options_init": (None, [c.POINTER(s.ClientOptions), c.c_size_t]),
    "call_options_init": (None, [c.POINTER(s.CallOptions), c.c_size_t]),
    "mesh_init": (None, [c.POINTER(s.Mesh), c.c_size_t]),
    "expression_init": (None, [c.POINTER(s.Expression), c.c_size_t]),
    "prediction_options_init": (None, [c.POINTER(s.PredictionOptions), c.c_size_t]),
    "predict_request_init": (None, [c.POINTER(s.PredictRequest), c.c_size_t]),
    "batch_request_init": (None, [c.POINTER(s.BatchRequest), c.c_size_t]),
    "load_request_init": (None, [c.POINTER(s.LoadRequest), c.c_size_t]),
    "server_options_init": (None, [c.POINTER(s.ServerOptions), c.c_size_t]),
    "job_cancel": (None, [_handle]),
    "job_free": (None, [_handle]),
    "job_message": (c.c_char_p, [_handle]),
    "job_progress": (None, [_handle, c.POINTER(c.c_size_t), c.POINTER(c.c_size_t)]),
    "job_next_item": (c.c_int32, [_handle, c.POINTER(c.c_size_t)]),
    "server_free": (None, [_handle]),
    "server_address": (c.c_size_t, [_handle, c.c_char_p, c.c_size_t]),
    "server_token": (c.c_size_t, [_handle, c.c_char_p, c.c_size_t]),
    "server_version": (c.c_size_t, [_handle, c.c_char_p, c.c_size_t]),
    "server_log": (c.c_size_t, [_handle, c.c_char_p, c.c_size_t]),
    "server_pid": (c.c_int64, [_handle]),
}


def library_file_name() -> str:
    """The library's file name on this system."""
    if sys.platform == "win32":
        return "blendwire_client.dll"
    if sys.platform == "darwin":
        return "libblendwire_client.1.dylib"
    return "libblendwire_client.so.1"


def _load() -> c.CDLL:
    """What BLENDWIRE_CLIENT_LIBRARY names, else the package's own, else the system's."""
    named = os.environ.get("BLENDWIRE_CLIENT_LIBRARY")
    bundled = NATIVE_FOLDER / library_file_name()
    path = named or (str(bundled) if bundled.is_file() else library_file_name())
    copies = copies_folder() if sys.platform == "win32" and path == str(bundled) else None
    try:
        if copies is not None:
            path = str(loadable_copy(bundled, copies))
        # CDLL, not PyDLL: the interpreter's lock is released during every call.
        return c.CDLL(path)
    except OSError as error:
        raise NotFoundError(
            f"the client library cannot be loaded: {error}; install the blendwire wheel for this "
            "system, or set BLENDWIRE_CLIENT_LIBRARY to the library's path"
        ) from error


@functools.cache
def library() -> c.CDLL:
    """The loaded library, loaded once."""
    loaded = _load()
    for name, (result, arguments) in _OTHER_FUNCTIONS.items():
        function = getattr(loaded, f"blendwire_{name}")
        function.restype = result
        function.argtypes = arguments
    for name, arguments in _CODE_FUNCTIONS.items():
        function = getattr(loaded, f"blendwire_{name}")
        function.restype = _code
        function.argtypes = arguments
    found = loaded.blendwire_abi_version()
    if found != ABI_VERSION:
        raise FailedPreconditionError(
            f"the client library has ABI version {found}, but this package needs {ABI_VERSION}; "
            "install library and package of the same release"
        )
    return loaded


def text(value: bytes | None) -> str:
    """A text of the library."""
    return (value or b"").decode("utf-8", "replace")


def check(code: int) -> None:
    """Raises what the last call on this thread reported."""
    if code != 0:
        raise make_error(code, text(library().blendwire_last_error()))


def new_struct(struct: type[Any], init: str) -> Any:
    """A struct with the library's defaults; `init` is e.g. "mesh" for blendwire_mesh_init."""
    value = struct()
    getattr(library(), f"blendwire_{init}_init")(c.byref(value), c.sizeof(value))
    return value


def result_struct(struct: type[Any]) -> Any:
    """A struct for the library to fill in."""
    value = struct()
    value.struct_size = c.sizeof(value)
    return value


def string_array(texts: list[str]) -> Any:
    """A C array of C strings, or None for none."""
    return (c.c_char_p * len(texts))(*[t.encode() for t in texts]) if texts else None


def bundled_server() -> pathlib.Path | None:
    """The package's own server, if it has one. Blender's unpacker drops the permission to run it,
    which is given back; Windows knows no such permission."""
    server = NATIVE_FOLDER / (SERVER_NAME + (".exe" if sys.platform == "win32" else ""))
    if not server.is_file():
        return None
    if not os.access(server, os.X_OK):
        server.chmod(server.stat().st_mode | 0o111)
    return server


def client_version() -> str:
    """The version of the loaded C library, e.g. "0.1.0"."""
    return text(library().blendwire_version())
