# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the core meets Blender: meshes, the client library, the timer. No user interface."""
