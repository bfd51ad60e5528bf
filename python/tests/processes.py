# SPDX-License-Identifier: Apache-2.0
"""What tests ask about other processes."""

from __future__ import annotations

import pathlib
import time


def is_alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float) -> bool:
    """Whether it ends within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False
