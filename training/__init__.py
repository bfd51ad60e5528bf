# SPDX-License-Identifier: Apache-2.0
"""Training of Blendwire's default face model: data, network, losses, evaluation, export."""
