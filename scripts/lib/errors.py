# SPDX-License-Identifier: Apache-2.0
"""What ends a script with one line: scripts/start.py prints it."""


class Refused(Exception):
    """One line for the user, and the exit status."""

    def __init__(self, line, status=2):
        super().__init__(line)
        self.status = status
