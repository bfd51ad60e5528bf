# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text that the user can see exists in every language, and none is left over."""

from __future__ import annotations

import ast
import json
import pathlib
import re

import pytest
from core.messages import TEXTS

ADDON = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = ("ja", "ko", "zh_HANS")

# The same in all languages: names of products, keys and axes.
SAME = {
    "Blendwire",
    "VRChat",
    "Oculus",
    "VRM 0",
    "VRM 1",
    "MMD",
    "ARKit 52",
    "Unified",
    "VRM",
    "vrc.v_aa",
    "viseme_aa",
    "Joy",
    "happy",
    "happy, aa",
    "Joy, A",
    "CPU",
    "CUDA",
    "DirectML",
    "Core ML",
    "-Y",
    "+Y",
    "+X",
    "-X",
}


def _strings(node: ast.AST) -> list[str]:
    """A string literal, or both branches of `a if b else c`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _strings(node.body) + _strings(node.orelse)
    return []


def _of_call(call: ast.Call) -> list[str]:
    function = call.func
    name = getattr(function, "attr", getattr(function, "id", ""))
    found: list[str] = []
    if name.endswith("Property"):
        for keyword in call.keywords:
            if keyword.arg in ("name", "description"):
                found += _strings(keyword.value)
            if keyword.arg == "items" and isinstance(keyword.value, ast.Tuple):
                for item in keyword.value.elts:
                    if isinstance(item, ast.Tuple):
                        found += [s for part in item.elts[1:3] for s in _strings(part)]
    elif name in ("tr", "_tr"):
        found += [s for argument in call.args for s in _strings(argument)]
    elif name in ("label", "operator", "prop", "progress"):
        untranslated = any(k.arg == "translate" for k in call.keywords)
        if not untranslated:
            found += [s for k in call.keywords if k.arg == "text" for s in _strings(k.value)]
    return found


def _of_class(node: ast.ClassDef) -> list[str]:
    """Labels, and the docstring that Blender shows as the tooltip of an operator."""
    found = []
    for statement in node.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "bl_label":  # type: ignore
            found += _strings(statement.value)
    if "_OT_" in node.name:
        found.append(ast.get_docstring(node) or "")
    return found


def shown_texts() -> set[str]:
    """All message ids of the add-on."""
    found: set[str] = set()
    for path in (ADDON / "ui").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.update(_of_call(node))
            elif isinstance(node, ast.ClassDef):
                found.update(_of_class(node))
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if getattr(target, "id", "") in ("SET_LABELS", "_PHASES", "_STATES", "REGIONS"):
                    found.update(_of_table(node.value))
    for _, text, cure in TEXTS.values():
        found.update((text, cure))
    return {text for text in found if text and not text.isspace()} - SAME


def _of_table(node: ast.AST | None) -> list[str]:
    """Values of a dictionary of labels, or rows of (identifier, name, description)."""
    if isinstance(node, ast.Dict):
        found = []
        for value in node.values:
            found += _strings(value.elts[0]) if isinstance(value, ast.Tuple) else _strings(value)
        return found
    assert isinstance(node, ast.Tuple)
    return [s for row in node.elts for part in row.elts[1:3] for s in _strings(part)]  # type: ignore


def table(language: str) -> dict[str, str]:
    path = ADDON / "locale" / f"{language}.json"
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_texts_are_found() -> None:
    texts = shown_texts()
    assert {
        "Generate",
        "Soft Edge",
        "Server is ready",
        "Nothing is wrong",
        "Stop the work; nothing is written",
        "No mesh is selected",
        "Automatic",
    } <= texts
    assert len(texts) > 150


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_left_over(language: str) -> None:
    known = set(table(language))
    assert sorted(shown_texts() - known) == []
    assert sorted(known - shown_texts()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_real_and_keep_their_parameters(language: str) -> None:
    for text, translated in table(language).items():
        assert translated.strip(), text
        assert translated != text or text.isupper(), text
        fields = sorted(re.findall(r"{[^}]*}", text))
        assert sorted(re.findall(r"{[^}]*}", translated)) == fields, text
        assert any(ord(c) > 0x2E80 for c in translated), text
