# SPDX-License-Identifier: Apache-2.0
"""A regression from its plan to its report: run many, write down each as it ends."""
import json
import signal
import sys
import time

from . import evidence as evidence_module
from .buckets import signature
from .errors import BAD_ENVIRONMENT, Refused
from .execute import record
from .history import History
from .plan import longest_first
from .progress import Progress
from .report import write_report
from .results import BAD_STATES, RunLog, junit, point_at, write_whole

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Ctrl-C, or the end of the session."""


class Runner:
    def __init__(self, root, out, folder, plan, data, launcher):
        """data: (testplan, known issues, baselines). The plan is already in the folder."""
        self.root, self.out, self.folder, self.plan, self.data = root, out, folder, plan, data
        self.launcher = launcher
        self.history = History(out / "history.sqlite")
        self.log = RunLog(folder)

    def run(self, build_errors):
        """Runs what has no record yet. Returns the evidence; Ctrl-C ends it early, with a report.
        build_errors: {target: what was wrong}; runs that need one of these are not started."""
        point_at(self.folder, "latest", "last_regression")
        notes = []
        previous = {s: signal.signal(s, self.interrupt) for s in ENDING if s != signal.SIGHUP or
                    signal.getsignal(s) != signal.SIG_IGN}  # nohup stays nohup
        try:
            try:
                self.run_all(build_errors)
            except Interrupted:
                notes.append("interrupted")
                self.log.close()
                self.log = RunLog(self.folder)  # the last line may be written and not yet counted
            except OSError as error:
                # Nothing more can be recorded; what is done stays, and --resume continues it.
                raise Refused(f"{self.folder}: {error.strerror}; what is finished is kept, continue it with: "
                              f"scripts/dodeca regress {self.plan['suite']} --resume", BAD_ENVIRONMENT) from None
            finally:
                self.ignore()
                self.launcher.stop()
            return self.finish(notes)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    @staticmethod
    def ignore():
        """One signal is enough, and none stops a report."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    @classmethod
    def interrupt(cls, *_):
        cls.ignore()
        raise Interrupted

    def run_all(self, build_errors):
        runs = self.plan["runs"]
        left = [i for i, run in enumerate(runs) if run["id"] not in self.log.records]
        for i in [i for i in left if runs[i]["target"] in build_errors]:
            self.log.append(record(runs[i], "build error", build_errors[runs[i]["target"]], time.time()))
            left.remove(i)
        seconds = self.history.expected_seconds()
        if not self.plan.get("changed"):  # that plan has an order: what is likely to fail comes first
            order = {run["id"]: n for n, run in enumerate(longest_first(runs, seconds))}
            left.sort(key=lambda i: order[runs[i]["id"]])
        progress = Progress(len(left), {runs[i]["id"]: seconds.get(runs[i]["test"]) for i in left}, self.launcher.jobs,
                            tests={run["id"]: run["test"] for run in runs})
        known = self.data[1]
        try:
            for done in self.launcher.records(self.plan, left, self.folder, self.root):
                if done is None:
                    progress.tick()
                    continue
                self.log.append(done)
                seen = (evidence_module.judge_canary(done) if done["kind"] == "canary" else known.apply(done))
                progress.update(seen, seen["state"] in BAD_STATES)
        finally:
            progress.close()

    def finish(self, notes=()):
        """Writes evidence, JUnit, history and report from what is recorded."""
        finished = max([r["times"]["started"] + r["times"]["wall_s"] for r in self.log.records.values()],
                       default=self.plan["started"])
        result = evidence_module.make(self.plan, self.log.records, self.data, self.folder, self.root,
                                      round(finished, 3), [*notes, *self.log.damage])
        self.log.close()
        self.history.add(result, signature)
        result["history"] = self.history.context(result)
        try:
            write_whole(self.folder / "evidence.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
            write_whole(self.folder / "junit.xml", junit(result))
            write_report(self.folder / "report.html", result)
        except OSError as error:
            raise Refused(f"{self.folder}: {error.strerror}; write the report again with: "
                          f"scripts/dodeca regress report {self.folder}", BAD_ENVIRONMENT) from None
        if self.history.problem:
            print(f"regress: {self.history.problem}", file=sys.stderr)
        return result
