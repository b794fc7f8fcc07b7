# SPDX-License-Identifier: Apache-2.0
"""A JSON file that somebody names: rejected in one line."""
import json

from .errors import Refused


def read(path, allowed):
    """Its data. `allowed`: what may be named here."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; allowed {allowed}") from None
    except ValueError as error:
        raise Refused(f"{path}: not JSON: {error}") from None
