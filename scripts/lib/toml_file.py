# SPDX-License-Identifier: Apache-2.0
"""Data files with errors that name file, line and key.

tomllib tells lines only for syntax; for a wrong key or value the line is found again in the text.
"""
import datetime
import re
import tomllib

from .errors import Refused


class _Tables(type):
    def __instancecheck__(cls, value):
        return isinstance(value, list) and all(isinstance(v, dict) for v in value)


class Tables(metaclass=_Tables):
    """The type of [[...]] entries, for `check`."""


KINDS = {str: "a string", int: "a whole number, 0 or more", bool: "true or false", list: "a list of strings",
         dict: "a table", datetime.date: "a date like 2027-01-31", Tables: "[[...]] entries"}


def fits(value, kind):
    """isinstance, with TOML's ideas: true is no number, a time of day is no date, lists hold strings."""
    if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or value < 0)):
        return False
    if kind is datetime.date and isinstance(value, datetime.datetime):
        return False
    return kind is not list or all(isinstance(item, str) for item in value)


class TomlFile:
    def __init__(self, path):
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
            self.data = tomllib.loads(self.text)
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = line.group(1) if line else len(self.text.splitlines()) or 1
            raise Refused(f"{path}:{where}: not TOML: {error}") from None

    def line_of(self, table, key=None, index=0):
        """Line of `key` in `[table]` (the index-th if `[[table]]`), or of its header; 1 if not found."""
        current, seen, header = "", -1, None
        wanted = ".".join(part for part in (table, key) if part)
        for number, line in enumerate(self.text.splitlines(), 1):
            match = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$", line)
            if match:
                current = match.group(1).replace('"', "").replace("'", "")
                if current == table:
                    seen += 1
                    if seen == index:
                        header = number
                elif current == wanted or (current.startswith((table or wanted) + ".") and header is None):
                    header = number  # [a.b] stands for [a] and for key b in it
            elif key is not None and current == table and (seen == index or table == ""):
                if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*(=|\.)", line):
                    return number
        return header or 1

    def refuse(self, table, key, what, index=0):
        """Raises: file, line, table and key, what is wrong."""
        name = ".".join(part for part in (table, key) if part)
        raise Refused(f"{self.path}:{self.line_of(table, key, index)}: {name}: {what}")

    def check(self, table, entry, allowed, index=0):
        """Checks keys and types: allowed = {key: (type or types, default)}; default ... means required."""
        if not isinstance(entry, dict):
            self.refuse("", table, "must be a table", index)
        for key in entry:
            if key not in allowed:
                self.refuse(table, key, f"unknown key; allowed {', '.join(allowed)}", index)
        out = {}
        for key, (kinds, default) in allowed.items():
            if key not in entry:
                if default is ...:
                    self.refuse(table, key, "is missing", index)
                out[key] = default
                continue
            kinds = kinds if isinstance(kinds, tuple) else (kinds,)
            if not any(fits(entry[key], kind) for kind in kinds):
                self.refuse(table, key, f"is {repr(entry[key])[:80]}; allowed {' or '.join(KINDS[k] for k in kinds)}", index)
            out[key] = entry[key]
        return out
