# SPDX-License-Identifier: Apache-2.0
"""One mutant against the runs that meet it, layer by layer, until one of them notices."""
import dataclasses
import json
import shutil

from regress.buckets import CAUSE
from regress.execute import execute
from regress.plan import make_runs
from regress.suites import Suites

LAYERS = ("smoke", "test", "nightly")
SLOWER = 10     # a mutant may take so many times the time of the design, and some seconds
GRACE_S = 10
SEED = 1


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a mutant. state: killed, timeout (killed by the clock), survived, unmet (no run would differ)."""
    number: int
    state: str
    layer: str = ""
    run: str = ""
    board: bool = False  # was it a board, which looks for the cause?
    cause: str = ""      # block of the earliest cause
    message: str = ""
    seconds: float = 0.0  # of processor time, about: runs are sequential
    runs: int = 0


def planned(suites_file, layer):
    """{layer: runs} up to `layer`: what `regress smoke` runs; all unit programs; a run of each test of the night."""
    suites = Suites(suites_file)
    smoke, nightly = suites.suite("smoke"), suites.suite("nightly")
    unit = {name: count for name, count in nightly.seeds.items() if suites.tests[name].ctest}
    night = {name: 1 for name in nightly.seeds if suites.tests[name].scenario and not name.startswith("count_")}
    found, seen = {}, set()
    for name, chosen in zip(LAYERS, (smoke.seeds, unit, night)):
        runs = [r for r in make_runs(suites, smoke, chosen, SEED, canary=False, whole=False) if r["kind"] == "test"]
        if name == "nightly":
            runs = [r | {"id": f"night.{r['id']}"} for r in make_runs(suites, smoke, chosen, SEED + 1, whole=False)
                    if r["kind"] == "test"]
        found[name] = [quick(r) for r in runs if r["id"] not in seen]
        seen |= {r["id"] for r in found[name]}
        if name == layer:
            return found
    return found


def quick(run):
    """Without waves of a failure: nobody looks at them here."""
    return run | {"command": [*run["command"], "--no-failure-waves"]} if run["board"] and "faults" not in run["command"] else run


class Trials:
    """Runs of the tree with mutants, below one folder."""

    def __init__(self, tree, folder, runs):
        self.tree, self.folder, self.runs = tree, folder, runs
        self.met, self.seconds, self.kills = {}, {}, {}

    def run(self, run, number, timeout=None):
        """The record of one run with one mutant (0: none), and which mutants it met."""
        place = self.folder / f"m{number}"
        met = place / "met" / run["id"]
        met.mkdir(parents=True, exist_ok=True)
        env = run["env"] | {"DODECA_MUTANT": str(number)} | ({"DODECA_MUTANTS_MET": str(met)} if number == 0 else {})
        record = execute(run | {"env": env} | ({"timeout_s": timeout} if timeout else {}), place, self.tree)
        numbers = {int(word) for file in met.iterdir() for word in file.read_text().split()}
        return record, numbers

    def learn(self, run, record, numbers):
        """What the design itself does in a run."""
        self.met[run["id"]], self.seconds[run["id"]] = numbers, record["times"]["wall_s"]

    def order(self, layer):
        """Runs of a layer: boards first, whose causes tell the block; then what kills most in a second."""
        def worth(run):
            return (self.kills.get(run["id"], 0) + 0.5) / self.seconds[run["id"]]
        return sorted(self.runs[layer], key=lambda run: (not run["board"], -worth(run), run["id"]))

    def judge(self, mutant):
        """The verdict over one mutant."""
        spent, ran = 0.0, 0
        try:
            for layer in self.runs:
                for run in self.order(layer):
                    if mutant.number not in self.met[run["id"]]:
                        continue
                    record, _ = self.run(run, mutant.number, SLOWER * self.seconds[run["id"]] + GRACE_S)
                    ran += 1
                    spent += record["times"]["wall_s"]
                    if record["state"] != "passed":
                        self.kills[run["id"]] = self.kills.get(run["id"], 0) + 1
                        found = CAUSE.match(record["message"])
                        state = "timeout" if record["state"] == "timeout" else "killed"
                        return Verdict(mutant.number, state, layer, run["id"], run["board"], found[1] if found else "",
                                       record["message"][:300], round(spent, 2), ran)
            return Verdict(mutant.number, "survived" if ran else "unmet", seconds=round(spent, 2), runs=ran)
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
