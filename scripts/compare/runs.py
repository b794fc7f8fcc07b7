# SPDX-License-Identifier: Apache-2.0
"""Two runs: their result.json, and the logs, epochs, timelines and tensors that lie beside."""
import json

from compare import BadInput, epochs, logs, tensors, timelines

# How long it took, and with what: no part of the result.
TIMES = {"wall_s", "cycles_per_s", "threads", "repro", "metrics.model_share", "metrics.macs_per_s"}
# What the golden model alone has as well.
SHARED = {"scenario", "config", "seed", "status", "chips", "cores", "program_hash", "commit_hash"}

LOGS = ("commits.log", "commits.log.gz")


def load(path):
    file = path / "result.json" if path.is_dir() else path
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from None
    if not isinstance(result, dict) or result.get("kind") not in ("run", "model"):
        found = result.get("kind") if isinstance(result, dict) else type(result).__name__
        raise BadInput(f"{file}: kind is {found!r}; allowed run, model")
    return result


def flat(value, name=""):
    """{"metrics.inject.site": "weight", ...} in the file's order."""
    if not isinstance(value, dict):
        return {name: value}
    return {key: leaf for part, inner in value.items()
            for key, leaf in flat(inner, f"{name}.{part}" if name else part).items()}


def compare(path_a, path_b, args):
    result_a, result_b = load(path_a), load(path_b)
    a, b = flat(result_a), flat(result_b)
    alone = "model" in (result_a["kind"], result_b["kind"]) and result_a["kind"] != result_b["kind"]
    found = []
    for name in list(a) + [name for name in b if name not in a]:
        if name in TIMES or name in args.ignore or name == "kind":
            continue
        if alone and name not in SHARED and not (name.startswith("metrics.") and name in a and name in b):
            continue
        if a.get(name) != b.get(name):
            show = [json.dumps(side[name]) if name in side else "absent" for side in (a, b)]
            numbers = all(type(side.get(name)) in (int, float) for side in (a, b))
            change = f" ({b[name] / a[name] - 1:+.2%})" if numbers and a[name] else ""
            found.append({"field": name, "a": a.get(name), "b": b.get(name),
                          "text": f"{name}: {show[0]} and {show[1]}{change}"})
    if path_a.is_dir() and path_b.is_dir():
        logged = any((path_a / name).is_file() and (path_b / name).is_file() for name in LOGS)  # they say more
        for file in sorted(path_a.iterdir()):
            other = path_b / file.name
            if not other.is_file() or file.name in args.ignore:
                continue
            beside = []
            if file.suffix == ".npy":
                beside = tensors.compare(file, other, args)
            elif file.name in LOGS:
                beside = logs.compare(file, other)
            elif file.name == "epochs.json" and not logged:
                beside = epochs.compare(file, other)
            elif file.name == "timeline.json":
                beside = timelines.compare(file, other)
            found += [{**entry, "file": file.name, "text": f"{file.name}: {entry['text']}"} for entry in beside]
    return found
