# SPDX-License-Identifier: Apache-2.0
"""The files of a regression: plan.json, runs.jsonl (append only), evidence.json, junit.xml.

runs.jsonl gets one line per finished run, written at once and forced to the disk before the run counts
as done. Whatever ends the regression, at most the last line is torn, and is cut off. Any other line that
cannot be read stays, its run counts as not run, and the evidence says so.
"""
import collections
import errno
import fcntl
import json
import os
import shutil
import xml.etree.ElementTree as xml

from lib import json_file

from .errors import BAD_ENVIRONMENT, Refused
from .untrusted import parse, take

STATES = ("passed", "failed", "timeout", "killed", "not run", "build error", "expected failure", "unexpected pass")
LEAST_FREE = 64 << 10  # bytes on the disk, below which a run's failure is not believed
BAD_STATES = ("failed", "timeout", "killed", "build error", "unexpected pass")


def write_whole(path, text):
    """Writes under another name, forces to disk, renames: the file is old or new, never half."""
    part = path.with_name(path.name + ".part")
    with open(part, "w", encoding="utf-8", errors="backslashreplace") as file:  # a name need not be UTF-8
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


RECORD = {"id": str, "kind": str, "test": str, "seed": int, "owner": str, "state": str, "message": str, "repro": str,
          "checks": int, "stimulus": (str, type(None)), "cycles": (int, type(None)), "times": dict}
MORE = {"inject": (dict, type(None)), "divergence": (dict, type(None))}  # what some records have


def read_record(text):
    """A record of a run, from here or from a farm; else ValueError."""
    entry = parse(text)
    take(entry, RECORD | MORE)
    take(entry["times"], {"started": (int, float), "wall_s": (int, float)})
    if entry["state"] not in STATES:
        raise ValueError(f"state is {entry['state']!r}")
    return entry


class RunLog:
    """runs.jsonl, for one call at a time. Where it cannot be written, OSError: the regression stops, and may be
    resumed."""

    def __init__(self, folder):
        self.path = folder / "runs.jsonl"
        self.records, self.damage = {}, []
        self.fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.fd)
            raise Refused(f"{folder}: another regress is at work in it; allowed when that has ended",
                          BAD_ENVIRONMENT) from None
        *lines, torn = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                entry = read_record(line)
                self.records[entry["id"]] = entry
            except ValueError as error:
                if number == len(lines) and not torn:
                    torn = line + b"\n"
                else:
                    self.damage.append(f"{self.path.name}:{number}: {error}; this record counts as not run")
        if torn:
            os.ftruncate(self.fd, os.fstat(self.fd).st_size - len(torn))

    def append(self, entry):
        if entry["state"] in BAD_STATES and shutil.disk_usage(self.path).free < LEAST_FREE:
            # Who knows what it could not write: it is no failure, and runs again after --resume.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        data = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        size = os.fstat(self.fd).st_size
        try:
            if os.write(self.fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
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
    """plan.json or evidence.json of a regression."""
    data = json_file.read(path, "the directory of a regression")
    if not isinstance(data, dict) or data.get("schema") != 1 or "runs" not in data:
        raise Refused(f"{path}: not a plan or evidence of a regression (schema 1)")
    return data


def counts(runs):
    found = collections.Counter(run["state"] for run in runs)
    return {state: found[state] for state in STATES}


def comparable(evidence):
    """What two regressions of the same plan must agree on, wherever and whenever they ran: all but times,
    launcher, number of jobs, the command that was typed, what history tells, and the name of the folder in messages."""
    text = json.dumps({k: v for k, v in evidence.items() if k not in ("launcher", "jobs", "command", "folder", "history")})

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "times"}
        return [strip(item) for item in value] if isinstance(value, list) else value
    return strip(json.loads(text.replace(evidence["folder"] + "/", "FOLDER/")))


def differences(a, b, where=""):
    """Paths at which two values differ: ["runs[3].cycles: 5 against 6", ...]."""
    if isinstance(a, dict) and isinstance(b, dict):
        plain_first = sorted(a.keys() | b.keys(), key=lambda k: (isinstance(a.get(k), (dict, list)), k))
        return [d for k in plain_first for d in
                differences(a.get(k), b.get(k), f"{where}.{k}" if where else k)]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{where}[{i}]")]
    return [] if a == b else [f"{where}: {json.dumps(a)[:200]} against {json.dumps(b)[:200]}"]


def clean(text):
    """Text that XML 1.0 can hold."""
    return "".join(c if c in "\n\t" or 0x20 <= ord(c) < 0xFFFE else "?" for c in text)


def junit(evidence):
    """Suite = test, case = test.seed; seed and repro both as properties and in the text of the failure. In one
    more suite a case for each verdict on the whole."""
    root = xml.Element("testsuites", name=f"dodeca {evidence['suite']}" + (
        " ({runs} of {of} runs)".format(**evidence["changed"]) if evidence["changed"] else ""))
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
    judged = evidence["verdicts"]
    suite = xml.SubElement(root, "testsuite", name="regression", tests=str(len(judged)),
                           failures=str(sum(bool(lines) for lines in judged.values())), errors="0", skipped="0", time="0")
    for name, lines in judged.items():
        case = xml.SubElement(suite, "testcase", classname="regression", name=name, time="0")
        if lines:
            xml.SubElement(case, "failure", type="failed", message=clean(lines[0])).text = clean("\n".join(lines))
    xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"
