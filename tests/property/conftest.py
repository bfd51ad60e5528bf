# SPDX-License-Identifier: Apache-2.0
"""The tests need a folder with the built server:

BLENDWIRE_BIN=build/release/bin python -m pytest tests/property
"""

from __future__ import annotations

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration")]
