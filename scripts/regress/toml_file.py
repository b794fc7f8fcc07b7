# SPDX-License-Identifier: Apache-2.0
"""Data files with errors that name file, line and key.

tomllib tells lines only for syntax; for a wrong key or value the line is found again in the text.
"""
import re
import tomllib

from .errors import Refused


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
        current, seen, header = "", -1, 1
        for number, line in enumerate(self.text.splitlines(), 1):
            match = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$", line)
            if match:
                current = match.group(1).replace('"', "").replace("'", "")
                if current == table:
                    seen += 1
                    if seen == index:
                        header = number
            elif key is not None and current == table and (seen == index or table == ""):
                if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*(=|\.)", line):
                    return number
        return header

    def refuse(self, table, key, what, index=0):
        """Raises: file, line, table and key, what is wrong."""
        name = ".".join(part for part in (table, key) if part)
        raise Refused(f"{self.path}:{self.line_of(table, key, index)}: {name}: {what}")

    def check(self, table, entry, allowed, index=0):
        """Checks keys and types: allowed = {key: (type, default)}; default ... means required."""
        if not isinstance(entry, dict):
            self.refuse("", table, "must be a table", index)
        for key in entry:
            if key not in allowed:
                self.refuse(table, key, f"unknown key; allowed {', '.join(allowed)}", index)
        out = {}
        for key, (kind, default) in allowed.items():
            if key not in entry:
                if default is ...:
                    self.refuse(table, key, "is missing", index)
                out[key] = default
                continue
            value = entry[key]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
                names = kind if isinstance(kind, tuple) else (kind,)
                self.refuse(table, key, f"is {value!r}; allowed {' or '.join(k.__name__ for k in names)}", index)
            if kind is list and not all(isinstance(item, str) for item in value):
                self.refuse(table, key, "allowed a list of strings", index)
            if kind is int and value < 0:
                self.refuse(table, key, f"is {value}; allowed 0 or more", index)
            out[key] = value
        return out
