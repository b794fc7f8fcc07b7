# SPDX-License-Identifier: Apache-2.0
"""Would the checks notice? Small changes of the RTL, hundreds in one build, each chosen at run time.

  mutate [--files GLOB] [--n N] [--seed S] [--layer smoke|test|nightly] [--all-runs]
  mutate --bugs planted|museum     the mistakes of a catalogue (regress/bugs)

Each mutant is tried against the runs that it could change, cheapest first, until one notices. A layer holds those
before it: smoke is what `regress smoke` runs, test adds lint, proofs and the unit programs, nightly one run of each scenario.
With --all-runs every run that meets a mutant is tried: `scripts/dodeca rank` then knows all that notice it.

Exit status: 0 all were tried, 1 the design itself fails a run, 2 wrong usage or input, 3 build or environment.
"""
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import random
import shlex
import shutil
import sys
import threading

from lib import options, rtl
from lib.errors import Refused
from regress.progress import Progress
from regress.tools import revision

from . import bugs
from .report import ledger, summary, text_of, write_page
from .static import noticed
from .tree import MOST, Tree
from .trial import LAYERS, Log, Trials, planned
from .triage import Triage

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE = ROOT / "build/mutants"


def chosen_files(globs):
    files = rtl.sources(ROOT)
    for glob in globs:
        if not fnmatch.filter(files, glob):
            raise Refused(f"--files '{glob}': no source of the RTL is called so; allowed: paths like {files[0]}")
    return [f for f in files if not globs or any(fnmatch.fnmatch(f, g) for g in globs)]


def prepared(args):
    """The tree with its mutants and all catalogued bugs, built for the layer; and the runs."""
    tree = Tree(ROOT, TREE, chosen_files(args.files), args.n, args.seed, bugs.read(ROOT))
    if all(mutant.name for mutant in tree.mutants):
        raise Refused(f"--files {' '.join(args.files)}: there is no place for a mutant in them")
    path = folder_of(args, tree)
    if args.resume and not (path / "verdicts.jsonl").exists():
        raise Refused(f"{path}: nothing to go on with; --resume is allowed after an interrupted call of the same words on "
                      "the same tree")
    dropped = tree.drop_broken()
    if dropped:
        print(f"{dropped} mutants left out: Verilator does not take them", file=sys.stderr)
    tree.configure()
    runs = planned(TREE, args.layer)
    tree.build({run["target"] for layer in runs.values() for run in layer})
    return tree, runs


def folder_of(args, tree):
    """One for the same words on the same tree."""
    words = [args.bugs or "sample", args.layer, *["all-runs"] * args.all_runs, tree.digest]
    return pathlib.Path(args.out).resolve() / "-".join(["mutate", *words])


def base(trials, digest, jobs):
    """Every run without a mutant: must pass, and tells which mutants it meets. Kept for the same tree, and in the
    result's folder: {run: [mutants, seconds, seconds of processor time]}."""
    path = TREE / "out/base.json"
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    if known.get("digest") != digest:
        known = {"digest": digest, "runs": {}}
    todo = [run for layer in trials.runs.values() for run in layer if run["id"] not in known["runs"]]
    progress = Progress(len(todo), {run["id"]: None for run in todo}, jobs)
    lock = threading.Lock()

    def one(run):
        record, numbers = trials.run(run, 0)
        with lock:
            progress.update(record, record["state"] != "passed")
            if record["state"] == "passed":
                known["runs"][run["id"]] = [sorted(numbers), record["times"]["wall_s"], record["times"]["cpu_s"]]
        return record

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        bad = [r for r in pool.map(one, todo) if r["state"] != "passed"]
    shutil.rmtree(trials.folder / "m0", ignore_errors=True)
    path.write_text(json.dumps(known))
    if bad:
        raise Refused(f"the design itself fails {bad[0]['id']}: {bad[0]['message'].splitlines()[0]}", 1)
    for layer in trials.runs.values():
        for run in layer:
            numbers, seconds = known["runs"][run["id"]][:2]
            trials.met[run["id"]], trials.seconds[run["id"]] = set(numbers), seconds
    (trials.folder / "base.json").write_text(json.dumps({"runs": {run: known["runs"][run] for run in trials.met}}))


def tried(trials, log, mutants, jobs):
    """Verdicts of all mutants, those of the log included."""
    todo = [m for m in mutants if m.number not in log.verdicts]
    for mutant in mutants:
        if mutant.number in log.verdicts:
            trials.killed(mutant, log.verdicts[mutant.number].killers)
    random.Random(len(mutants)).shuffle(todo)  # so that the first ones stand for all: seconds left, an interrupted call
    progress = Progress(len(todo), {str(m.number): None for m in todo}, jobs)
    lock = threading.Lock()

    def one(mutant):
        verdict = trials.judge(mutant)
        with lock:
            log.add(verdict)
            alive = verdict.state in ("survived", "unmet")
            progress.update({"id": str(mutant.number), "test": mutant.file, "state": verdict.state,
                             "message": f"{mutant.file}:{mutant.line} {mutant.before} -> {mutant.after}",
                             "times": {"wall_s": verdict.seconds}}, alive)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, todo))
    progress.close()
    return [log.verdicts[m.number] for m in mutants]


def main(argv):
    try:
        args = options.parse("mutate", argv)
    except options.Usage as usage:
        raise Refused(str(usage)) from None
    if args.n > MOST:
        raise Refused(f"--n is {args.n}; allowed 1 .. {MOST}")
    jobs = args.jobs or len(os.sched_getaffinity(0))
    tree, runs = prepared(args)
    catalogue = {bug.name: bug for bug in bugs.read(ROOT, args.bugs)} if args.bugs else {"": None}
    mutants = [m for m in tree.mutants if m.name in catalogue]
    folder = folder_of(args, tree)
    if folder.exists() and not args.resume:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    trials = Trials(TREE, folder, runs, lambda number: noticed(ROOT, tree.plain(number)), args.all_runs)
    base(trials, tree.digest, jobs)
    verdicts = tried(trials, Log(folder / "verdicts.jsonl"), mutants, jobs)
    result = summary(mutants, verdicts, Triage(ROOT / "regress/survivors.toml"), list(runs)) | {
        "command": shlex.join(["scripts/dodeca", "mutate", *argv]), "revision": revision(ROOT, pathlib.Path(args.out).resolve()),
        "all_runs": args.all_runs}
    if args.bugs:
        result["bugs"] = ledger(catalogue, result["rows"])
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    write_page(folder / "report.html", result)
    print(json.dumps(result, indent=1) if args.json else text_of(result, folder / "report.html"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
