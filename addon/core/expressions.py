# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shape keys each expression set has, what they are called, and what to ask the server."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SETS = ("visemes", "emotions", "vrm", "arkit", "unified", "mmd")
"""Expression sets, in the order of the panel; "picked" stands for a list of names beside them."""

VISEME_CONVENTIONS = ("vrchat", "oculus")
EMOTION_CONVENTIONS = ("blendwire", "vrm1", "vrm0")
VRM_CONVENTIONS = ("vrm1", "vrm0")

SIDES = {"left": "Left", "right": "Right"}

_DATA = pathlib.Path(__file__).resolve().parent / "data"


@dataclasses.dataclass(frozen=True)
class Request:
    """What the server is asked for: keys that ask the same share one prediction."""

    kind: str  # "viseme", "emotion" or "custom"
    name: str
    weights: tuple[tuple[str, float], ...] = ()  # ARKit units of a mixture, 0 to 1

    def as_item(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """An item of Client.submit_batch()."""
        item: dict[str, Any] = {
            "expression_type": self.kind,
            "expression_name": self.name,
            "options": dict(options),
        }
        if self.weights:
            item["parameters"] = dict(self.weights)
        return item


@dataclasses.dataclass(frozen=True)
class KeySpec:
    """A shape key to make."""

    key: str  # its name
    set: str  # of SETS, or "picked"
    expression: str  # Blendwire's own name, for strengths and records
    request: Request
    side: str = ""  # "left" or "right": that half only

    @property
    def must_differ(self) -> bool:
        """Whether VRChat needs this key to exist and to differ from the other visemes."""
        return self.request.kind == "viseme"


@dataclasses.dataclass(frozen=True)
class Expression:
    """An entry of expressions.json."""

    name: str
    kind: str  # "viseme", "emotion" or "custom"
    description: str
    names: Mapping[str, str]

    @property
    def request(self) -> Request:
        return Request(self.kind, self.name)

    def named(self, convention: str) -> str | None:
        """Its name in a convention; None where that has none."""
        if convention == "blendwire":
            return self.name
        return self.names.get(convention)


def _table_file() -> pathlib.Path:
    """Packed beside this file; in the source tree it is the one that the server reads, too."""
    packed = _DATA / "expressions.json"
    if packed.is_file():
        return packed
    return pathlib.Path(__file__).resolve().parents[2] / "src" / "expression" / "expressions.json"


@functools.cache
def table() -> dict[str, Expression]:
    """All expressions by Blendwire's own name, visemes first, then emotions, then ARKit units."""
    with open(_table_file(), encoding="utf-8") as file:
        data = json.load(file)
    kinds = {"visemes": "viseme", "emotions": "emotion", "units": "custom"}
    return {
        entry["name"]: Expression(entry["name"], kind, entry["description"], entry["names"])
        for section, kind in kinds.items()
        for entry in data[section]
    }


@functools.cache
def conventions() -> dict[str, Any]:
    """The keys of "unified" and "mmd"."""
    with open(_DATA / "conventions.json", encoding="utf-8") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


def unit_weights(weights: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Spells out the units that stand for both sides."""
    known = table()
    result: dict[str, float] = {}
    for name, weight in weights.items():
        for full in [name] if name in known else [name + "Left", name + "Right"]:
            if full not in known:
                raise KeyError(f'"{name}" is no ARKit unit')
            result[full] = weight
    return tuple(sorted(result.items()))


def _of_kind(kind: str) -> list[Expression]:
    return [e for e in table().values() if e.kind == kind]


def _plain(set_name: str, expressions: Iterable[Expression], convention: str) -> list[KeySpec]:
    found = ((e, e.named(convention)) for e in expressions)
    return [KeySpec(key, set_name, e.name, e.request) for e, key in found if key]


def _special(convention: str) -> list[KeySpec]:
    specs = []
    for key, entry in conventions()[convention].items():
        name = entry.get("expression")
        if name:
            request, expression = table()[name].request, name
        else:
            request, expression = Request("custom", key, unit_weights(entry["weights"])), key
        specs.append(KeySpec(key, convention, expression, request, entry.get("side", "")))
    return specs


def _moves(expression: Expression) -> bool:
    """The face at rest is no shape key, except VRChat's vrc.v_sil."""
    return expression.name != "Neutral"


def keys_of_set(
    set_name: str,
    *,
    viseme_names: str = "vrchat",
    emotion_names: str = "blendwire",
    vrm_names: str = "vrm1",
    picked: Sequence[str] = (),
) -> list[KeySpec]:
    """The keys of one set, by the conventions that the user chose.

    Raises:
        KeyError: A picked name is no expression, or there is no such set.
    """
    if set_name == "visemes":
        return _plain("visemes", _of_kind("viseme"), viseme_names)
    if set_name == "emotions":
        expressions = [e for e in _of_kind("emotion") if _moves(e)]
        keys = _plain("emotions", expressions, emotion_names)
        missing = [e for e in expressions if not e.named(emotion_names)]
        return keys + _plain("emotions", missing, "blendwire")
    if set_name == "vrm":
        return _plain("vrm", [e for e in table().values() if _moves(e)], vrm_names)
    if set_name == "arkit":
        return _plain("arkit", _of_kind("custom"), "arkit")
    if set_name in ("unified", "mmd"):
        return _special(set_name)
    if set_name == "picked":
        return [KeySpec(find(n).name, "picked", find(n).name, find(n).request) for n in picked]
    raise KeyError(f'there is no expression set "{set_name}"')


def find(name: str) -> Expression:
    """By Blendwire's name or by any convention's, without regard to case."""
    known = table()
    if name in known:
        return known[name]
    for expression in known.values():
        spellings = {expression.name.lower(), *(n.lower() for n in expression.names.values())}
        if name.lower() in spellings:
            return expression
    raise KeyError(f'"{name}" is no expression that Blendwire knows')


def split_sides(spec: KeySpec) -> list[KeySpec]:
    """The left and the right half of a key, `NAME_L` and `NAME_R`; only itself if it has a side."""
    if spec.side or spec.expression.endswith(("Left", "Right")) or spec.set == "visemes":
        return [spec]
    return [
        dataclasses.replace(spec, key=f"{spec.key}_{letter}", side=side)
        for letter, side in (("L", "left"), ("R", "right"))
    ]


def unique(specs: Iterable[KeySpec]) -> list[KeySpec]:
    """Without keys of the same name; the first stays."""
    result: dict[str, KeySpec] = {}
    for spec in specs:
        result.setdefault(spec.key, spec)
    return list(result.values())


def requests_of(specs: Iterable[KeySpec]) -> list[Request]:
    """What to ask the server for, each once, in order."""
    return list(dict.fromkeys(spec.request for spec in specs))
