# SPDX-License-Identifier: Apache-2.0
"""out/history.sqlite: every regression and its runs, for trends, first failures and expected times."""
import sqlite3

SCHEMA = """
create table if not exists regression (
  id integer primary key, folder text, suite text, seed integer, revision text, dirty text, started real,
  wall_s real, exit_status integer, runs integer, passed integer, failed integer,
  line real, branch real, toggle real, functional real);
create table if not exists run (
  regression integer references regression(id) on delete cascade, id text, test text, kind text, seed integer, state text,
  signature text, cycles integer, wall_s real, rss_mib real);
create index if not exists run_by_test on run(test, state);
create index if not exists run_by_signature on run(signature);
"""


class History:
    """Absent or damaged history never stops a regression: `problem` says why it is not kept."""

    def __init__(self, path):
        self.problem = None
        try:
            self.db = sqlite3.connect(path, timeout=30)
            self.db.execute("pragma foreign_keys = on")
            self.db.executescript(SCHEMA)
        except sqlite3.Error as error:
            self.problem, self.db = f"{path}: {error}; history is not kept", sqlite3.connect(":memory:")
            self.db.executescript(SCHEMA)

    def expected_seconds(self):
        """{test: mean seconds of its last runs}."""
        rows = self.db.execute(
            "select test, avg(wall_s) from run where state = 'passed' and regression in "
            "(select id from regression order by id desc limit 20) group by test")
        return dict(rows.fetchall())

    def add(self, evidence, signature):
        """Records a regression, replacing what an earlier part of the same one (before --resume) left."""
        c, times = evidence["counts"], evidence["times"]
        coverage = evidence.get("coverage") or {}
        percent = [coverage.get("net", {}).get(kind) for kind in ("line", "branch", "toggle", "functional")]
        try:
            with self.db:
                self.db.execute("delete from regression where folder = ? and started = ?",
                                (evidence["folder"], times["started"]))
                key = self.db.execute(
                    "insert into regression values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (evidence["folder"], evidence["suite"], evidence["seed"], evidence["revision"]["commit"],
                     evidence["revision"]["dirty"], times["started"], times["wall_s"], evidence["exit_status"],
                     sum(c.values()), c["passed"] + c["expected failure"],
                     c["failed"] + c["timeout"] + c["killed"] + c["unexpected pass"], *percent)).lastrowid
                self.db.executemany(
                    "insert into run values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [(key, r["id"], r["test"], r["kind"], r["seed"], r["state"],
                      signature(r["message"]) if r["message"] else None, r["cycles"], r["times"]["wall_s"],
                      r["times"].get("rss_mib")) for r in evidence["runs"]])
        except sqlite3.Error as error:
            self.problem = f"{error}; this regression is not in the history"

    def trend(self, suite, limit=60):
        """Past regressions of the suite, oldest first."""
        names = ("folder", "started", "revision", "wall_s", "runs", "passed", "failed", "exit_status",
                 "line", "branch", "toggle", "functional")
        rows = self.db.execute(f"select {', '.join(names)} from regression where suite = ? "
                               "order by id desc limit ?", (suite, limit)).fetchall()
        return [dict(zip(names, row)) for row in reversed(rows)]

    def first_seen(self, text):
        """(revision, started) of the first regression with a failure of this signature, or None."""
        return self.db.execute(
            "select revision, started from regression where id = (select min(regression) from run where "
            "signature = ? and kind <> 'canary')", (text,)).fetchone()

    def last_good(self, test):
        """(revision, started) of the last regression in which all runs of the test passed, or None."""
        return self.db.execute(
            "select revision, started from regression where id = (select max(regression) from run r where test = ?"
            " and state = 'passed' and not exists (select 1 from run f where f.regression = r.regression and"
            " f.test = r.test and f.state in ('failed', 'timeout', 'killed')))", (test,)).fetchone()
