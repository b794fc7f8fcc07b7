# SPDX-License-Identifier: Apache-2.0
"""Which test is worth its time?"""
