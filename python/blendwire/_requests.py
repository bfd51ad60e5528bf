# SPDX-License-Identifier: Apache-2.0
"""From numpy arrays and dictionaries to the structs of the C library, without copying float32."""

from __future__ import annotations

import ctypes as c
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _structs as s
from ._library import new_struct, string_array
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from .types import BatchItem, FloatArray, PredictionOptions

_KINDS = {"viseme": 0, "emotion": 1, "custom": 2}
_BATCH_KEYS = frozenset(
    {
        "expression_name",
        "expression_type",
        "features",
        "intensity",
        "model",
        "options",
        "out",
        "parameters",
        "triangles",
        "vertices",
    }
)


def _rows(array: Any) -> bool:
    """Whether the library can use the rows of a float32 [N,3] array where they lie."""
    return bool(
        array.ndim == 2
        and array.shape[1] == 3
        and array.strides[1] == 4
        and array.strides[0] >= 12
        and array.strides[0] % 4 == 0
        and array.flags.aligned
    )


def as_vertices(vertices: Any, field: str = "vertices") -> FloatArray:
    """Float32 [N,3], the caller's own memory where that is possible."""
    array: Any = np.asarray(vertices)
    if array.dtype.kind not in "fiu":
        raise InvalidArgumentError(f"{field} has dtype {array.dtype}, but must be numbers")
    if array.ndim == 1 and array.size % 3 == 0:
        array = array.reshape(-1, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InvalidArgumentError(f"{field} has shape {array.shape}, but must be (N, 3)")
    usable = _rows(array) or (len(array) < 2 and array.flags.c_contiguous)
    result: FloatArray = array
    if array.dtype != np.float32 or not usable:
        result = np.ascontiguousarray(array, dtype=np.float32)
    return result


def as_triangles(triangles: Any, field: str = "triangles") -> Any:
    """Uint32 [T,3], contiguous; None for none."""
    if triangles is None:
        return None
    array: Any = np.asarray(triangles)
    if array.size == 0:
        return None
    if array.dtype.kind not in "iu":
        raise InvalidArgumentError(f"{field} has dtype {array.dtype}, but must be integers")
    if array.ndim == 1 and array.size % 3 == 0:
        array = array.reshape(-1, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InvalidArgumentError(f"{field} has shape {array.shape}, but must be (T, 3)")
    if array.dtype.kind == "i" and array.min() < 0:
        raise InvalidArgumentError(f"{field} has index {array.min()}, but must be 0 or more")
    if array.dtype == np.int32 and array.flags.c_contiguous:
        return array.view(np.uint32)
    return np.ascontiguousarray(array, dtype=np.uint32)


def as_output(out: Any, vertex_count: int, field: str = "out") -> FloatArray:
    """The caller's buffer, or a new one: float32 [N,3]."""
    if out is None:
        return np.empty((vertex_count, 3), dtype=np.float32)
    array: Any = out  # checked here, not by its type
    if not isinstance(out, np.ndarray) or array.dtype != np.float32:
        found = getattr(array, "dtype", type(array).__name__)
        raise InvalidArgumentError(f"{field} is {found}, but must be a float32 array")
    if array.shape != (vertex_count, 3):
        raise InvalidArgumentError(
            f"{field} has shape {array.shape}, but the mesh needs ({vertex_count}, 3)"
        )
    if not array.flags.writeable:
        raise InvalidArgumentError(f"{field} is read-only, but must be writeable")
    if not _rows(array):
        raise InvalidArgumentError(
            f"{field} has strides {array.strides}, but the three floats of a row must be adjacent"
        )
    result: FloatArray = array
    return result


def _stride(array: Any) -> int:
    return 0 if array.flags.c_contiguous else int(array.strides[0])


class RequestBuilder:
    """Makes the structs of one call and holds what they point to until the call has started."""

    def __init__(self) -> None:
        self._keep: list[Any] = []

    def _hold(self, value: Any) -> Any:
        self._keep.append(value)
        return value

    def mesh(self, vertices: FloatArray, triangles: Any) -> Any:
        mesh = self._hold(new_struct(s.Mesh, "mesh"))
        mesh.vertices = self._hold(vertices).ctypes.data
        mesh.vertex_count = len(vertices)
        mesh.vertex_stride = _stride(vertices)
        if triangles is not None:
            mesh.triangles = self._hold(triangles).ctypes.data
            mesh.triangle_count = len(triangles)
        return mesh

    def expression(
        self,
        kind: str,
        name: str,
        intensity: float,
        features: Sequence[float] | None,
        parameters: Mapping[str, float] | None,
        field: str,
    ) -> Any:
        number = _KINDS.get(kind.lower())
        if number is None:
            raise InvalidArgumentError(
                f'{field}expression_type is "{kind}", but must be "viseme", "emotion" or "custom"'
            )
        expression = self._hold(new_struct(s.Expression, "expression"))
        expression.kind = number
        expression.name = name.encode()
        expression.intensity = intensity
        if features is not None:
            flat: Any = np.ascontiguousarray(features, dtype=np.float32)
            array = self._hold(flat.reshape(-1))
            expression.features = array.ctypes.data
            expression.feature_count = len(array)
        if parameters:
            weights = self._hold(np.array(list(parameters.values()), dtype=np.float32))
            names = self._hold(string_array(list(parameters)))
            expression.parameter_names = c.cast(names, c.POINTER(c.c_char_p))
            expression.parameter_weights = weights.ctypes.data
            expression.parameter_count = len(weights)
        return expression

    def options(self, options: PredictionOptions | None, field: str) -> Any:
        if not options:
            return None
        struct = self._hold(new_struct(s.PredictionOptions, "prediction_options"))
        known = [name for name, *_ in s.PredictionOptions._fields_ if name != "struct_size"]
        for name, value in options.items():
            if name not in known:
                raise InvalidArgumentError(
                    f'{field}options has "{name}", but knows only {", ".join(known)}'
                )
            setattr(struct, name, value)
        return struct

    def request(
        self, mesh: Any, vertex_count: int, item: BatchItem, field: str, into: Any = None
    ) -> tuple[Any, FloatArray]:
        """Fills a request; with `mesh` None it uses the batch's. Also returns its buffer."""
        request = self._hold(new_struct(s.PredictRequest, "predict_request"))
        offsets = as_output(item.get("out"), vertex_count, f"{field}out")
        if mesh is not None:
            request.mesh = c.pointer(mesh)
        request.expression = c.pointer(
            self.expression(
                item.get("expression_type", "viseme"),
                item["expression_name"],
                item.get("intensity", 1.0),
                item.get("features"),
                item.get("parameters"),
                field,
            )
        )
        options = self.options(item.get("options"), field)
        if options is not None:
            request.options = c.pointer(options)
        request.model = item.get("model", "").encode() or None
        request.offsets = offsets.ctypes.data
        request.offset_vertex_count = vertex_count
        request.offset_stride = _stride(offsets)
        return request, offsets

    def predict(self, vertices: Any, triangles: Any, item: BatchItem) -> tuple[Any, FloatArray]:
        array = as_vertices(vertices)
        mesh = self.mesh(array, as_triangles(triangles))
        return self.request(mesh, len(array), item, "")

    def batch(
        self,
        items: Sequence[BatchItem],
        vertices: Any,
        triangles: Any,
        max_parallel: int,
    ) -> tuple[Any, list[FloatArray]]:
        """A mesh that several items bring is sent once, if they bring the very same arrays."""
        batch = new_struct(s.BatchRequest, "batch_request")
        batch.max_parallel = max_parallel
        shared, shared_triangles = vertices, triangles
        if shared is None and items:
            shared, shared_triangles = items[0].get("vertices"), items[0].get("triangles")
        shared_count = 0
        if shared is not None:
            array = as_vertices(shared)
            shared_count = len(array)
            batch.mesh = c.pointer(self.mesh(array, as_triangles(shared_triangles)))
        requests = (s.PredictRequest * len(items))()
        outputs: list[FloatArray] = []
        for index, item in enumerate(items):
            field = f"requests[{index}]."
            unknown = set(item) - _BATCH_KEYS
            if unknown:
                raise InvalidArgumentError(
                    f'{field[:-1]} has "{sorted(unknown)[0]}", but knows only '
                    f"{', '.join(sorted(_BATCH_KEYS))}"
                )
            if "expression_name" not in item:
                raise InvalidArgumentError(f"{field}expression_name is missing")
            own = item.get("vertices")
            if own is None and shared is None:
                raise InvalidArgumentError(f"{field}vertices is missing, and the batch has none")
            mesh, count = None, shared_count
            if own is not None and not (
                own is shared and item.get("triangles", shared_triangles) is shared_triangles
            ):
                own_array = as_vertices(own, f"{field}vertices")
                own_triangles = as_triangles(item.get("triangles"), f"{field}triangles")
                mesh, count = self.mesh(own_array, own_triangles), len(own_array)
            request, offsets = self.request(mesh, count, item, field)
            requests[index] = request
            outputs.append(offsets)
        batch.items = requests
        batch.item_count = len(items)
        self._hold(requests)
        return batch, outputs


def call_options(timeout: float | None, request_id: str = "", max_attempts: int = 0) -> Any:
    """None for the defaults; `timeout` in seconds."""
    if timeout is None and not request_id and not max_attempts:
        return None
    options = new_struct(s.CallOptions, "call_options")
    if timeout is not None:
        options.timeout_ms = max(1, round(timeout * 1000))
    options.request_id = request_id.encode() or None
    options.max_attempts = max_attempts
    return c.byref(options)
