# SPDX-License-Identifier: Apache-2.0
"""Curves over time, one below the other, as a PNG."""

from __future__ import annotations

import pathlib

from PIL import Image, ImageDraw, ImageFont

WIDTH, PANEL = 900, 190
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 30, 24
INK, GREY, BLUE = "#222222", "#dddddd", "#2266bb"


def _ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from low to high."""
    raw = (high - low) / count
    power = 10.0 ** len(str(int(1 / raw))) if raw < 1 else 1.0
    step = max(round(raw * power), 1) / power
    first = -(-low // step) * step
    return [first + i * step for i in range(count + 2) if first + i * step <= high + 1e-9]


def draw(path: pathlib.Path, x: list[float], curves: dict[str, list[float]], unit: str) -> None:
    """`curves`: a title and its values at each `x`."""
    image = Image.new("RGB", (WIDTH, PANEL * len(curves)), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(13)
    end = max(x[-1], 1e-9)
    for row, (title, values) in enumerate(curves.items()):
        top, bottom = row * PANEL + TOP, (row + 1) * PANEL - BOTTOM
        high = max(max(values) * 1.1, 1.0)

        def at(time: float, value: float, high: float = high, top: int = top,
               bottom: int = bottom) -> tuple[float, float]:  # fmt: skip
            across = LEFT + (WIDTH - LEFT - RIGHT) * time / end
            return across, bottom - (bottom - top) * value / high

        for value in _ticks(0.0, high):
            _, y = at(0.0, value)
            pen.line([(LEFT, y), (WIDTH - RIGHT, y)], fill=GREY)
            pen.text((LEFT - 8, y), f"{value:g}", fill=INK, font=font, anchor="rm")
        for time in _ticks(0.0, end, 6):
            across, _ = at(time, 0.0)
            pen.text((across, bottom + 4), f"{time:g}", fill=INK, font=font, anchor="ma")
        pen.text((LEFT, row * PANEL + 8), f"{title} ({unit} across)", fill=INK, font=font)
        pen.line([at(a, b) for a, b in zip(x, values)], fill=BLUE, width=2)
    image.save(path)
