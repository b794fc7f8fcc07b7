# SPDX-License-Identifier: Apache-2.0
"""One mutant against the runs that meet it, layer by layer, until one of them notices, or all; layer test begins with what
reads its source."""
import collections
import dataclasses
import json
import pathlib
import shutil
import subprocess
import time

from regress.buckets import CAUSE
from regress.execute import execute
from regress.plan import ctest_run, make_runs
from regress.suites import Suites, Test

from .blocks import block_of_unit, right_blocks

LAYERS = ("smoke", "test", "nightly")
SLOWER = 10     # a mutant may take so many times the time of the design, and some seconds
GRACE_S = 10
SEED = 1
UNIT_S, UNIT_MIB = 900, 4096


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a mutant. state: killed, timeout (killed by the clock), survived, unmet (no run would differ)."""
    number: int
    state: str
    layer: str = ""
    run: str = ""
    board: bool = False  # was it a board, which looks for the cause?
    cause: str = ""      # block of the earliest cause; of a unit program, the block that it tests
    message: str = ""
    seconds: float = 0.0  # of one processor: checks come one after the other
    runs: int = 0
    killers: tuple = ()  # runs that noticed: the first, or all that would (`--all-runs`)

    def after(self, spent, runs, killers):
        return dataclasses.replace(self, seconds=round(spent, 2), runs=runs, killers=tuple(killers))


def unit_programs(tree):
    """CTest's programs with RTL in them, built or not: their tests are named like their targets. Yosys knows no mutants."""
    targets = subprocess.run(["ninja", "-C", "build", "-t", "targets", "all"], cwd=tree, capture_output=True, text=True, check=True)
    programs = {pathlib.Path(line.split(":")[0]).name for line in targets.stdout.splitlines() if "EXECUTABLE_LINKER" in line}
    listed = subprocess.run(["ctest", "--test-dir", "build", "--show-only=json-v1"], cwd=tree, capture_output=True, text=True)
    found = []
    for test in json.loads(listed.stdout)["tests"]:
        labels = next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), [])
        if "unit" in labels and not {"nightly", "yosys"} & set(labels) and test["name"] in programs:
            found.append(test["name"])
    return found


def planned(tree, layer):
    """{layer: runs} up to `layer`: what `regress smoke` runs; all unit programs; a run of each test of the night."""
    suites = Suites(tree / "regress/suites.toml")
    smoke, nightly = suites.suite("smoke"), suites.suite("nightly")

    def runs_of(seeds, seed=SEED, prefix=""):
        return [quick(run | {"id": prefix + run["id"]}) for run in make_runs(suites, smoke, seeds, seed, whole=False)
                if run["kind"] == "test"]
    found = {"smoke": runs_of(smoke.seeds)}
    in_smoke = {suites.tests[name].ctest for name in smoke.seeds}
    found["test"] = [ctest_run(Test(f"unit_{name}", "", name, "", (), (), "", UNIT_S, UNIT_MIB, ""), SEED)
                     for name in unit_programs(tree) if name not in in_smoke]
    found["nightly"] = runs_of({name: 1 for name in nightly.seeds if suites.tests[name].scenario
                                and not name.startswith("count_")}, SEED + 1, "night.")
    return {name: found[name] for name in LAYERS[:LAYERS.index(layer) + 1]}


def quick(run):
    """Without waves of a failure: nobody looks at them here."""
    return run | {"command": [*run["command"], "--no-failure-waves"]} if run["board"] and "faults" not in run["command"] else run


def verdict_of(mutant, layer, run, record):
    """That of a run which noticed."""
    found = CAUSE.match(record["message"])
    cause = found[1] if found else block_of_unit(run["target"])
    return Verdict(mutant.number, "timeout" if record["state"] == "timeout" else "killed", layer, run["id"], run["board"],
                   cause, record["message"][:300])


class Trials:
    """Runs of the tree with mutants, below one folder. `static`: number of a mutant -> (check that its
    source fails, message)."""

    def __init__(self, tree, folder, runs, static, all_runs=False):
        self.tree, self.folder, self.runs, self.static, self.all_runs = tree, folder, runs, static, all_runs
        self.met, self.seconds = {}, {}
        self.kills = collections.Counter()  # by run, and by (folder of a mutant, run)

    def run(self, run, number, timeout=None):
        """The record of one run with one mutant (0: none), and which mutants it met."""
        place = self.folder / f"m{number}"
        met = place / "met" / run["id"]
        met.mkdir(parents=True, exist_ok=True)
        env = run["env"] | {"DODECA_MUTANT": str(number)} | ({"DODECA_MUTANTS_MET": str(met)} if number == 0 else {})
        record = execute(run | {"env": env} | ({"timeout_s": timeout} if timeout else {}), place, self.tree)
        numbers = {int(word) for file in met.iterdir() for word in file.read_text().split()}
        return record, numbers

    def killed(self, mutant, runs):
        """Remember which runs noticed it: they are the first to be tried on its neighbours."""
        self.kills.update(key for run in runs for key in (run, (pathlib.Path(mutant.file).parent, run)))

    def order(self, layer, mutant):
        """Runs of a layer, first what kills most in a second, kills near the mutant above all. Boards count more, for their
        causes tell the block; of the other programs, those about a block of the mutant."""
        blocks, here = mutant.blocks or right_blocks(mutant.file), pathlib.Path(mutant.file).parent

        def worth(run):
            weight = 1 if run["board"] else 0.2 if block_of_unit(run["target"]) in blocks else 0.01
            return weight * (self.kills[here, run["id"]] + 0.1 * self.kills[run["id"]] + 0.1) / self.seconds[run["id"]]
        return sorted(self.runs[layer], key=lambda run: (-worth(run), run["id"]))

    def judge(self, mutant):
        """The verdict over one mutant: by the first check that notices, though all be tried."""
        spent, ran, first, killers = 0.0, 0, None, []
        try:
            for layer in self.runs:
                begun = time.monotonic()
                check, message = self.static(mutant.number) if layer == "test" else ("", "")
                spent += time.monotonic() - begun
                if check:
                    killers.append(check)
                    first = first or Verdict(mutant.number, "killed", layer, check, message=message)
                for run in self.order(layer, mutant):
                    if first and not self.all_runs:
                        break
                    if mutant.number not in self.met[run["id"]]:
                        continue
                    record, _ = self.run(run, mutant.number, SLOWER * self.seconds[run["id"]] + GRACE_S)
                    ran += 1
                    spent += record["times"]["wall_s"]
                    if record["state"] != "passed":
                        self.killed(mutant, [run["id"]])
                        killers.append(run["id"])
                        first = first or verdict_of(mutant, layer, run, record)
                if first and not self.all_runs:
                    break
            return (first or Verdict(mutant.number, "survived" if ran else "unmet")).after(spent, ran, killers)
        finally:
            shutil.rmtree(self.folder / f"m{mutant.number}", ignore_errors=True)


class Log:
    """verdicts.jsonl: a line as soon as it is known; what it holds is not done again."""

    def __init__(self, path):
        self.path, self.verdicts = path, {}
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    verdict = Verdict(**json.loads(line))
                except (ValueError, TypeError):
                    continue  # torn by the end of the process
                self.verdicts[verdict.number] = verdict

    def add(self, verdict):
        self.verdicts[verdict.number] = verdict
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(verdict)) + "\n")
