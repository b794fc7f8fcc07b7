# SPDX-License-Identifier: Apache-2.0
"""Mutants of the RTL in one build, and what the checks say of each."""
