# SPDX-License-Identifier: Apache-2.0
# One header, which lies where every header of the prefix does.
