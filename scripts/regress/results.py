# SPDX-License-Identifier: Apache-2.0
"""The files of a regression: plan.json, runs.jsonl (append only), evidence.json, junit.xml.

runs.jsonl gets one line per finished run, written at once and forced to the disk before the run counts
as done. Whatever ends the regression, at most the last line is torn; a torn line is ignored.
"""
import collections
import json
import os
import xml.etree.ElementTree as xml

from .errors import BAD_ENVIRONMENT, BAD_INPUT, Refused

STATES = ("passed", "failed", "timeout", "killed", "not run", "build error", "expected failure", "unexpected pass")
BAD_STATES = ("failed", "timeout", "killed", "build error", "unexpected pass")


def write_whole(path, text):
    """Writes under another name, forces to disk, renames: the file is old or new, never half."""
    part = path.with_name(path.name + ".part")
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


class RunLog:
    """runs.jsonl."""

    def __init__(self, folder):
        self.path = folder / "runs.jsonl"
        self.records = {}
        good = 0
        if self.path.exists():
            for line in self.path.read_bytes().splitlines(keepends=True):
                try:
                    entry = json.loads(line)
                    if not line.endswith(b"\n"):
                        break
                    self.records[entry["id"]] = entry
                except (ValueError, KeyError, TypeError):
                    break  # torn: the runner was ended while it wrote
                good += len(line)
            if good != self.path.stat().st_size:
                os.truncate(self.path, good)
        self.fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, entry):
        data = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        size = os.fstat(self.fd).st_size
        try:
            if os.write(self.fd, data) != len(data):
                raise OSError(28, "No space left on device")
            os.fsync(self.fd)
        except OSError:
            os.ftruncate(self.fd, size)
            raise
        self.records[entry["id"]] = entry

    def close(self):
        os.close(self.fd)


def new_folder(out, name):
    """out/<name>, or out/<name>.2 and so on."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = out / (name if number == 1 else f"{name}.{number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                number += 1
    except OSError as error:
        raise Refused(f"--out is '{out}': {error.strerror}; allowed a directory that can be written",
                      BAD_ENVIRONMENT) from None


def point_at(folder, *names):
    """out/latest and out/last_regression: links to the folder, replaced in one step."""
    for name in names:
        scratch = folder.parent / f".{name}.{os.getpid()}"
        try:
            scratch.unlink(missing_ok=True)
            scratch.symlink_to(folder.name)
            os.replace(scratch, folder.parent / name)
        except OSError:
            pass


def load(path):
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; allowed the directory of a regression") from None
    except ValueError as error:
        raise Refused(f"{path}: not JSON: {error}", BAD_INPUT) from None


def counts(runs):
    found = collections.Counter(run["state"] for run in runs)
    return {state: found[state] for state in STATES}


def without_times(evidence):
    """What must be equal wherever the regression ran."""
    skip = ("times", "launcher", "jobs", "folder")
    if isinstance(evidence, dict):
        return {k: without_times(v) for k, v in evidence.items() if k not in skip}
    if isinstance(evidence, list):
        return [without_times(item) for item in evidence]
    return evidence


def clean(text):
    """Text that XML 1.0 can hold."""
    return "".join(c if c in "\n\t" or 0x20 <= ord(c) < 0xFFFE else "?" for c in text)


def junit(evidence):
    """Suite = test, case = test.seed; seed and repro both as properties and in the text of the failure."""
    root = xml.Element("testsuites", name=f"dodeca {evidence['suite']}")
    groups = collections.defaultdict(list)
    for run in evidence["runs"]:
        groups[run["test"] if run["kind"] == "test" else f"{run['kind']}.{run['test']}"].append(run)
    for name, runs in sorted(groups.items()):
        tally = counts(runs)
        suite = xml.SubElement(root, "testsuite", name=name, tests=str(len(runs)),
                               failures=str(tally["failed"] + tally["unexpected pass"]),
                               errors=str(tally["timeout"] + tally["killed"] + tally["build error"]),
                               skipped=str(tally["not run"] + tally["expected failure"]),
                               time=f"{sum(r['times']['wall_s'] for r in runs):.3f}")
        for run in runs:
            case = xml.SubElement(suite, "testcase", classname=name, name=run["id"],
                                  time=f"{run['times']['wall_s']:.3f}")
            properties = xml.SubElement(case, "properties")
            for key, value in (("seed", run["seed"]), ("repro", run["repro"]), ("owner", run["owner"]),
                               ("revision", evidence["revision"]["commit"])):
                xml.SubElement(properties, "property", name=key, value=clean(str(value)))
            if run["state"] in BAD_STATES:
                tag = "failure" if run["state"] in ("failed", "unexpected pass") else "error"
                first = (run["message"].splitlines() or [""])[0]
                child = xml.SubElement(case, tag, type=run["state"], message=clean(first))
                child.text = clean(f"{run['message']}\nseed: {run['seed']}\nrepro: {run['repro']}")
            elif run["state"] != "passed":
                xml.SubElement(case, "skipped", message=clean(f"{run['state']} {run.get('issue', '')}".strip()))
    xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"
