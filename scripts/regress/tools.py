# SPDX-License-Identifier: Apache-2.0
"""What a regression ran on: revision with a hash of the uncommitted changes, versions of tools."""
import concurrent.futures
import hashlib
import platform
import re
import subprocess


def output(root, *command):
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=60)
        return done.stdout if done.returncode == 0 else b""
    except (OSError, subprocess.TimeoutExpired):
        return b""


def revision(root, out):
    """The commit, its subject, and 12 digits of a hash of uncommitted changes (empty if there are none).
    What lies in `out`, where regressions write, is no change."""
    commit = output(root, "git", "rev-parse", "HEAD").decode().strip() or "unknown"
    subject = output(root, "git", "log", "-1", "--format=%s").decode().strip()
    changes = output(root, "git", "diff", "HEAD")
    for name in sorted(output(root, "git", "ls-files", "-o", "--exclude-standard", "-z").split(b"\0")):
        if name and not (root / name.decode(errors="replace")).is_relative_to(out):
            try:
                changes += name + (root / name.decode()).read_bytes()
            except (OSError, UnicodeDecodeError):
                changes += name
    return {"commit": commit, "subject": subject, "dirty": hashlib.sha256(changes).hexdigest()[:12] if changes else ""}


def versions(root):
    rows = {"python": platform.python_version(), "system": platform.platform(), "machine": platform.machine()}
    commands = {"verilator": ("verilator", "--version"), "clang": ("clang++-19", "--version"),
                "cmake": ("cmake", "--version"), "systemc": ("pkg-config", "--modversion", "systemc")}
    with concurrent.futures.ThreadPoolExecutor() as pool:  # some of them think for a while
        texts = pool.map(lambda command: output(root, *command).decode(errors="replace"), commands.values())
    for name, text in zip(commands, texts):
        match = re.search(r"\d+\.\d+(\.\d+)?", text.partition("\n")[0])
        rows[name] = match.group(0) if match else "not found"
    return rows


def revision_name(revision):
    """One word for a tree: commit, and the hash of its changes."""
    return revision["commit"][:12] + (f"+{revision['dirty']}" if revision["dirty"] else "")
