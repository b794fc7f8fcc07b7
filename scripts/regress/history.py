# SPDX-License-Identifier: Apache-2.0
"""out/history.sqlite: every regression and its runs, for trends, first failures and expected times."""
import sqlite3

TABLES = {
    "regression": {
        "id": "integer primary key", "folder": "text", "suite": "text", "seed": "integer", "revision": "text",
        "dirty": "text", "started": "real", "wall_s": "real", "exit_status": "integer", "runs": "integer",
        "passed": "integer", "failed": "integer", "line": "real", "branch": "real", "toggle": "real",
        "functional": "real", "selection": "text"},
    "run": {
        "regression": "integer references regression(id) on delete cascade", "id": "text", "test": "text", "kind": "text",
        "seed": "integer", "state": "text", "signature": "text", "cycles": "integer", "wall_s": "real", "rss_mib": "real"}}
INDICES = ("run_by_test on run(test, state)", "run_by_signature on run(signature)")


def opened(path):
    """The database, with the columns that an older one lacks."""
    db = sqlite3.connect(path, timeout=30)
    db.execute("pragma foreign_keys = on")
    for table, columns in TABLES.items():
        db.execute(f"create table if not exists {table} ({', '.join(f'{c} {kind}' for c, kind in columns.items())})")
        there = {row[1] for row in db.execute(f"pragma table_info({table})")}
        for column in columns.keys() - there:
            db.execute(f"alter table {table} add column {column} {columns[column]}")
    for index in INDICES:
        db.execute(f"create index if not exists {index}")
    return db


def insert(db, table, rows):
    columns = [c for c in TABLES[table] if c in rows[0]] if rows else []
    done = None
    for row in rows:
        done = db.execute(f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
                          [row[c] for c in columns])
    return done and done.lastrowid


class History:
    """Absent, damaged or foreign history never stops a regression: `problem` says why it is not kept."""

    def __init__(self, path):
        self.path, self.problem, self.db = path, None, None
        self.ask(lambda: None)

    def ask(self, question):
        """The answer; where the database has none, that of an empty one."""
        try:
            self.db = self.db or opened(self.path)
            return question()
        except sqlite3.Error as error:
            self.problem = self.problem or f"{self.path}: {error}; history is not kept"
            self.db = opened(":memory:")
            return question()

    def expected_seconds(self):
        """{test: mean seconds of its last runs}."""
        return self.ask(lambda: dict(self.db.execute(
            "select test, avg(wall_s) from run where state = 'passed' and regression in "
            "(select id from regression order by id desc limit 20) group by test")))

    def add(self, evidence, signature):
        """Records a regression, replacing what an earlier part of the same one (before --resume) left."""
        self.ask(lambda: self._add(evidence, signature))

    def _add(self, evidence, signature):
        c, times = evidence["counts"], evidence["times"]
        net = (evidence.get("coverage") or {}).get("net", {})
        with self.db:
            self.db.execute("delete from regression where folder = ? and started = ?", (evidence["folder"], times["started"]))
            key = insert(self.db, "regression", [{
                **{name: evidence[name] for name in ("folder", "suite", "selection", "seed", "exit_status")},
                "revision": evidence["revision"]["commit"], "dirty": evidence["revision"]["dirty"],
                "started": times["started"], "wall_s": times["wall_s"], "runs": sum(c.values()),
                "passed": c["passed"] + c["expected failure"],
                "failed": c["failed"] + c["timeout"] + c["killed"] + c["unexpected pass"],
                **{kind: net.get(kind) for kind in ("line", "branch", "toggle", "functional")}}])
            insert(self.db, "run", [{
                "regression": key, **{name: r[name] for name in ("id", "test", "kind", "seed", "state", "cycles")},
                "signature": signature(r["message"]) if r["message"] else None, "wall_s": r["times"]["wall_s"],
                "rss_mib": r["times"].get("rss_mib")} for r in evidence["runs"]])

    def context(self, evidence):
        """What the past says about a regression that has been added: nothing that came after it counts, so a
        report that is written again later says the same. Order is by start, not by when it was recorded."""
        return self.ask(lambda: self._context(evidence))

    def _context(self, evidence):
        now = evidence["times"]["started"]
        trend = self.trend(evidence["suite"], evidence["selection"], now)
        return {"trend": trend, "tests": self.per_test(trend), "cycles": self.baseline_cycles(trend),
                "failures": {b["id"]: self.since(b, now) for b in evidence["buckets"]}}

    def trend(self, suite, selection, now, limit=60):
        """The last regressions of the suite and selection up to now, oldest first: a part of it is another one."""
        names = ("id", "folder", "started", "revision", "dirty", "seed", "wall_s", "runs", "passed", "failed",
                 "exit_status", "line", "branch", "toggle", "functional")
        rows = self.db.execute(f"select {', '.join(names)} from regression where suite = ? and selection = ? and started <= ? "
                               "order by started desc limit ?", (suite, selection, now, limit)).fetchall()
        return [dict(zip(names, row)) for row in reversed(rows)]

    def per_test(self, trend):
        """{test: [[runs, bad] or None per regression of the trend]}: what ran and went wrong in each."""
        place, found = {row["id"]: i for i, row in enumerate(trend)}, {}
        rows = self.db.execute(
            "select regression, test, count(*), sum(state <> 'expected failure') - sum(state = 'passed') from run "
            f"where kind = 'test' and state <> 'not run' and regression in ({', '.join('?' * len(place))}) "
            "group by regression, test", list(place))
        for regression, test, runs, bad in rows:
            found.setdefault(test, [None] * len(trend))[place[regression]] = [runs, bad]
        return found

    def baseline_cycles(self, trend):
        """{test: [cycles or None per regression of the trend]}"""
        place, found = {row["id"]: i for i, row in enumerate(trend)}, {}
        rows = self.db.execute(
            "select regression, test, cycles from run where kind = 'baseline' and state = 'passed' and "
            f"regression in ({', '.join('?' * len(place))})", list(place))
        for regression, test, cycles in rows:
            found.setdefault(test, [None] * len(trend))[place[regression]] = cycles
        return found

    def since(self, bucket, now):
        """When the failure of a bucket began, up to now, over all suites.

        first_seen: the first regression that ever had it. last_good: the last one before now that ran a test
        of the bucket, and all runs of these tests passed. since: the first one with the failure after that.
        seen, ran: in how many regressions from first_seen on it was seen, of those that ran these tests.
        """
        marks = ", ".join("?" * len(bucket["tests"]))
        seen = self.regressions("r.signature = ? and r.state not in ('passed', 'not run')",
                                (bucket["signature"],), now)
        ran = self.regressions(f"r.test in ({marks}) and r.state <> 'not run'", bucket["tests"], now)
        bad = self.regressions(f"r.test in ({marks}) and r.state not in ('passed', 'not run')",
                               bucket["tests"], now)
        good = [row for row in ran if row not in bad and row["started"] < now]
        last_good = good[-1] if good else None
        streak = [row for row in seen if not last_good or row["started"] > last_good["started"]]
        from_first = [row for row in ran if seen and row["started"] >= seen[0]["started"]]
        return {"first_seen": seen[0] if seen else None, "since": streak[0] if streak else None,
                "last_good": last_good, "seen": len(seen), "ran": len(from_first)}

    def regressions(self, condition, values, now):
        """Regressions up to now that have a run (no canary) for which the condition holds, oldest first."""
        names = ("folder", "started", "revision", "dirty")
        rows = self.db.execute(
            f"select distinct {', '.join('g.' + n for n in names)} from regression g join run r on r.regression = g.id "
            f"where r.kind <> 'canary' and ({condition}) and g.started <= ? order by g.started", (*values, now))
        return [dict(zip(names, row)) for row in rows.fetchall()]
