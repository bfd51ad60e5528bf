# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the add-on decides without Blender: numpy and the standard library only.

Coordinates: *local* is an object's own space, *world* Blender's, *model* what the server gets
(metres, Z up, the face looks along -Y, the avatar's own left is +X).
"""
