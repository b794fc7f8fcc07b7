# SPDX-License-Identifier: Apache-2.0
"""regress/known_issues.toml: failures with an owner and an expiry date."""
import datetime
import fnmatch
import re

from lib.toml_file import Tables, TomlFile


class KnownIssues:
    def __init__(self, path, tests):
        """tests: names that there are; every glob must match one."""
        today = datetime.date.today()
        file = TomlFile(path)
        self.issues = []
        for index, entry in enumerate(file.check("", file.data, {"issue": (Tables, [])})["issue"]):
            issue = file.check("issue", entry, {
                "id": (str, ...), "owner": (str, ...), "expires": (datetime.date, ...), "signature": (str, ...),
                "tests": (list, ["*"]), "always": (bool, False), "doc": (str, "")}, index)
            if any(other["id"] == issue["id"] for other in self.issues):
                file.refuse("issue", "id", f"{issue['id']!r} is there twice", index)
            for glob in issue["tests"]:
                if not fnmatch.filter(tests, glob):
                    file.refuse("issue", "tests", f"no test is called {glob!r} (tests are in suites.toml)", index)
            try:
                issue["pattern"] = re.compile(issue["signature"])
            except re.error as error:
                file.refuse("issue", "signature", f"not a regular expression: {error}", index)
            if issue["pattern"].search(""):
                file.refuse("issue", "signature", "matches every failure", index)
            self.issues.append(issue | {"expired": issue["expires"] < today})
        self.issues.sort(key=lambda issue: issue["expired"])  # an expired one must not hide another

    def apply(self, run):
        """Turns failed into expected failure, and passed into unexpected pass; names the issue."""
        if run["kind"] == "canary":
            return run
        for issue in self.issues:
            if not any(fnmatch.fnmatch(run["test"], glob) for glob in issue["tests"]):
                continue
            if run["state"] in ("failed", "timeout", "killed") and issue["pattern"].search(run["message"]):
                if issue["expired"]:
                    return run | {"issue": issue["id"], "message": run["message"] +
                                  f"\nknown issue {issue['id']} expired on {issue['expires']}"}
                return run | {"state": "expected failure", "issue": issue["id"]}
            if run["state"] == "passed" and issue["always"] and not issue["expired"]:
                return run | {"state": "unexpected pass", "issue": issue["id"], "message":
                              f"passes, but known issue {issue['id']} says that it always fails: remove it"}
        return run

    def rows(self, runs):
        return [{"id": i["id"], "owner": i["owner"], "expires": str(i["expires"]), "expired": i["expired"],
                 "doc": i["doc"], "runs": sum(r.get("issue") == i["id"] for r in runs)} for i in self.issues]
