# SPDX-License-Identifier: Apache-2.0
"""Bugs that are built into the RTL and chosen at run time. See regress/bugs/README.md."""
