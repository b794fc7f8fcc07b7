# SPDX-License-Identifier: Apache-2.0
"""What scripts/dodeca compare does; see __main__.py."""


class BadInput(Exception):
    """One line that names file, field and what is allowed."""
    status = 2
