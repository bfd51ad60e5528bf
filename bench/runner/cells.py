# SPDX-License-Identifier: Apache-2.0
"""What is measured: a cell is one kind of call on one mesh, its contestants are measured in
turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

SIZES = (1_000, 5_000, 20_000, 100_000)
CLIENTS = (1, 4, 16, 64)
EXPRESSIONS = (1, 2, 5, 15, 30, 67)


@dataclasses.dataclass(frozen=True)
class Cell:
    name: str
    model: str  # "transport" or "default"
    vertices: int
    # Name in the report -> contestant (contestants.py) and what of `load` it has otherwise.
    contestants: Mapping[str, tuple[str, Mapping[str, Any]]]
    load: Mapping[str, Any]
    rounds: int = 5  # how often each contestant is measured


def _single(model: str, vertices: int) -> Cell:
    """One mesh, one expression after the other, and the first call of a mesh."""
    contestants: dict[str, tuple[str, Mapping[str, Any]]] = {
        "floor": ("floor", {}),
        "C++ first": ("tcp:c++", {"fresh": True}),
        "C++": ("tcp:c++", {}),
        "C++ plain": ("tcp:c++", {"plain": True}),
        "C++ socket": ("unix:c++", {}),
        "Python first": ("tcp:python", {"fresh": True}),
        "Python": ("tcp:python", {}),
        "Python plain": ("tcp:python", {"plain": True}),
        "Python socket": ("unix:python", {}),
        "reference": ("reference", {}),
    }
    if vertices == 100_000 and model == "transport":
        contestants |= {
            "Triton": ("triton:plain", {}),
            "Triton shared memory": ("triton:shared", {}),
            "Triton C++": ("triton:c++", {}),
            "Triton C++ shared memory": ("triton:c++ shared", {}),
            "MLServer": ("mlserver:plain", {}),
        }
    slow = model == "default" and vertices == 100_000
    if slow:  # a call takes seconds: once more over TCP says nothing new
        contestants = {
            name: value
            for name, value in contestants.items()
            if "socket" not in name and "plain" not in name
        }
    load: dict[str, Any] = {"seconds": 0.5, "at_least": 1 if slow else 3}
    if slow:
        load["warm_up"] = 0
        # Known meshes are known by a call before.
        for name in ("C++", "Python"):
            contestants[name] = (contestants[name][0], {"warm_up": 1})
    return Cell(
        f"single {model} {vertices}",
        model,
        vertices,
        contestants,
        load,
        rounds=5 if model == "transport" else 2 if slow else 4,
    )


def _batch(items: int, vertices: int, rounds: int) -> Cell:
    """All expressions of one mesh in one call, as the add-on asks for them."""
    contestants: dict[str, tuple[str, Mapping[str, Any]]] = {
        "floor, 1 expression": ("floor", {"items": 1}),
        f"floor, {items} expressions": ("floor", {}),
        "C++ first": ("tcp:c++", {"fresh": True}),
        "C++": ("tcp:c++", {}),
        "C++ stream first": ("tcp:c++", {"fresh": True, "kind": "stream"}),
        "Python first": ("tcp:python", {"fresh": True}),
    }
    if items == 15:
        contestants["reference"] = ("reference", {"at_least": 1, "warm_up": 0})
    return Cell(
        f"batch {items} default {vertices}",
        "default",
        vertices,
        contestants,
        {"kind": "batch", "items": items, "seconds": 0.3, "at_least": 2},
        rounds,
    )


def _own_meshes(vertices: int) -> Cell:
    contestants: dict[str, tuple[str, Mapping[str, Any]]] = {
        "floor, 1 mesh": ("floor", {"items": 1}),
        "C++": ("tcp:c++", {}),
        "reference": ("reference", {}),
    }
    load = {
        "kind": "batch",
        "items": 15,
        "own_meshes": True,
        "fresh": True,
        "seconds": 0.3,
        "at_least": 1,
        "warm_up": 0,
    }
    return Cell(f"15 meshes default {vertices}", "default", vertices, contestants, load, rounds=3)


def _expressions(count: int, vertices: int) -> Cell:
    contestants: dict[str, tuple[str, Mapping[str, Any]]] = {
        "C++ first": ("tcp:c++", {"fresh": True}),
        "C++": ("tcp:c++", {}),
    }
    return Cell(
        f"expressions {count} default {vertices}",
        "default",
        vertices,
        contestants,
        {"kind": "batch", "items": count, "seconds": 0.3, "at_least": 2},
        rounds=3,
    )


def _clients(count: int, model: str, vertices: int) -> Cell:
    """Callers that call again at once; each call has a mesh that was not seen before, since the
    others that are compared remember nothing."""
    contestants: dict[str, tuple[str, Mapping[str, Any]]] = {
        "floor, all cores, 1 run": ("floor", {"clients": 1}),
        "floor, all cores, 2 runs": ("floor", {"clients": 2, "model_threads": 1}),
        "C++": ("tcp:c++", {}),
    }
    slow = model == "default"
    if count <= 4 or not slow:
        contestants["reference"] = ("reference", {})
    if count == 64:
        contestants["Triton"] = ("triton:plain", {})
    many = slow and count >= 16
    load = {
        "clients": count,
        "fresh": True,
        "seconds": 6.0 if many else 1.5,
        "at_least": 1,
        "warm_up": 0 if slow else 1,
    }
    return Cell(
        f"clients {count} {model} {vertices}",
        model,
        vertices,
        contestants,
        load,
        rounds=2 if slow else 3,
    )


def all_cells() -> list[Cell]:
    """In the order in which they run: first those of the transport model."""
    return [
        *(_single("transport", size) for size in SIZES),
        *(_clients(count, "transport", 20_000) for count in CLIENTS),
        *(_single("default", size) for size in SIZES),
        _batch(15, 20_000, rounds=3),
        _batch(67, 20_000, rounds=2),
        _own_meshes(5_000),
        *(_expressions(count, 5_000) for count in EXPRESSIONS),
        *(_clients(count, "default", 20_000) for count in CLIENTS),
    ]
