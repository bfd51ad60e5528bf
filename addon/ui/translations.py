# SPDX-License-Identifier: GPL-3.0-or-later
"""The languages: locale/*.json, message id -> translation. English is the ids themselves."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import bpy

from ..host.native import ADDON

_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "locale"

# File -> Blender's names of the language; Simplified Chinese was zh_CN before 4.0.
LOCALES = {"ja": ("ja_JP",), "ko": ("ko_KR",), "zh_HANS": ("zh_HANS", "zh_CN")}


def dictionaries() -> dict[str, dict[tuple[str, str], str]]:
    """For bpy.app.translations.register()."""
    result: dict[str, dict[tuple[str, str], str]] = {}
    for name, locales in LOCALES.items():
        with open(_FOLDER / f"{name}.json", encoding="utf-8") as file:
            texts: dict[str, Any] = json.load(file)
        entries: dict[tuple[str, str], str] = {}
        for text, translated in texts.items():
            entries["*", text] = translated
            entries["Operator", text] = translated  # labels of buttons
        for locale in locales:
            result[locale] = entries
    return result


def register() -> None:
    bpy.app.translations.register(ADDON, dictionaries())


def unregister() -> None:
    bpy.app.translations.unregister(ADDON)
