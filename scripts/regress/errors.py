# SPDX-License-Identifier: Apache-2.0
"""What ends the program with one line and a status."""

PASSED, CHECK_FAILED, BAD_INPUT, BAD_ENVIRONMENT, GATE_MISSED = range(5)


class Refused(Exception):
    """One line for the user, and the exit status."""

    def __init__(self, line, status=BAD_INPUT):
        super().__init__(line)
        self.status = status
