# SPDX-License-Identifier: Apache-2.0
"""regress/survivors.toml: mutants that nothing notices, and why nothing could.

kind: equivalent (nobody outside can see it), slower (only cycles change; `because` names the performance check),
unreachable (the place never has the value that would matter; `proof` names a test, if there is one).
"""
import tomllib

from lib.errors import Refused

KINDS = ("equivalent", "slower", "unreachable")
FIELDS = {"file", "source", "before", "after", "kind", "because"}


class Triage:
    def __init__(self, path):
        self.path, self.entries = path, {}
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
        except (ValueError, UnicodeDecodeError) as error:
            raise Refused(f"{path}: {error}") from None
        for row in rows:
            self.entries[self.checked(row)] = row

    def checked(self, row):
        wrong = FIELDS ^ (row.keys() - {"proof"})
        if wrong:
            raise Refused(f"{self.path}: a survivor has or lacks '{sorted(wrong)[0]}'; allowed {', '.join(sorted(FIELDS))}, proof")
        if row["kind"] not in KINDS or not row["because"].strip():
            raise Refused(f"{self.path}: {row['file']} '{row['source']}': kind is '{row['kind']}', allowed "
                          f"{', '.join(KINDS)}; because must say why")
        key = tuple(row[name] for name in ("file", "source", "before", "after"))
        if key in self.entries:
            raise Refused(f"{self.path}: {row['file']} '{row['source']}' is there twice")
        return key

    def of(self, mutant):
        """The entry of a mutant, or None."""
        return self.entries.get((mutant.file, mutant.source, mutant.before, mutant.after))

    def stale(self, sources):
        """Entries whose line is no more in the sources {file: text}."""
        return [key for key in self.entries
                if key[1] not in {line.strip() for line in sources.get(key[0], "").splitlines()}]
