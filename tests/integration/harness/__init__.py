# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: servers, stubs, test models, meshes and reference maths."""
