# SPDX-License-Identifier: Apache-2.0
"""Regressions: suites x seeds, run in parallel, judged, remembered and reported. See regress/README.md."""
