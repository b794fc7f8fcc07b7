# SPDX-License-Identifier: Apache-2.0
"""What ends the program with one line and a status."""
from lib.errors import Refused  # noqa: F401

PASSED, CHECK_FAILED, BAD_INPUT, BAD_ENVIRONMENT, GATE_MISSED = range(5)
