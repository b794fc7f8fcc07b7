# SPDX-License-Identifier: Apache-2.0
"""The RTL's files, and what Verilator says of a top without building it."""
import subprocess

import layers


def listed(root, *patterns):
    """Files of the repository, tracked or new, by path."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z", *patterns], cwd=root, capture_output=True,
                          text=True)
    if done.returncode:
        raise OSError(f"git ls-files: {done.stderr.strip()}")
    return sorted({f for f in done.stdout.split("\0") if f and (root / f).is_file()})


def written(root, *patterns):
    """Those of them that are written by hand."""
    return [f for f in listed(root, *patterns) if "/gen/" not in f]


def sources(root):
    return written(root, "rtl/*.sv", "fabric/rtl/*.sv")


def verilator(root, config, top, flags=("-Wall",), instead=(), other=None):
    """(exit status, all output) of `verilator --lint-only`. `instead`: modules in place of those of the same name;
    `other`: {file of the RTL: file that is read in its place}."""
    other = other or {}
    folders = layers.folders(root)
    source = next(f"{d}/{top}.sv" for d in folders if (root / d / f"{top}.sv").exists())  # -y does not find a top
    files = [f"rtl/defs/gen/{config}/size_pkg.sv", "rtl/defs/gen/defs_pkg.sv", "rtl/defs/gen/address_pkg.sv",
             "rtl/defs/gen/instr_pkg.sv", "rtl/defs/gen/table_pkg.sv", *layers.packages(root), *instead, source]
    first = [file for name, file in other.items() if name not in files]
    paths = [word for folder in folders for word in ("-y", folder)]
    done = subprocess.run(["verilator", "--lint-only", *flags, "--assert", "--no-timing", "--unroll-count", "1", "--top-module", top,
                           *paths, "+incdir+rtl/prim", "rtl/lint.vlt", *map(str, (other.get(f, f) for f in files[:-1])),
                           *map(str, first), str(other.get(source, source))],
                          cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout
