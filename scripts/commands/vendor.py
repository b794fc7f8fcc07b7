#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code of others in scripts/regress/vendor: where it is from is in vendor.toml there.

  vendor.py check     are the files those of the list? (no network)
  vendor.py fetch     gets them again from npm, checks the package and the files, replaces them

Exit status: 0 good, 1 a checksum differs, 2 wrong usage or list, 3 npm missing or no network.
"""
import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib

from lib import options

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "regress" / "vendor"


class Failed(Exception):
    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def read_list(folder):
    path = folder / "vendor.toml"
    try:
        packages = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failed(f"{path}: {error}", 2) from None
    for name, package in packages.items():
        missing = {"version", "integrity", "files"} - package.keys()
        if missing:
            raise Failed(f"{path}: [{name}] has no {', '.join(sorted(missing))}", 2)
    return packages


def compare(where, data, wanted):
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise Failed(f"{where}: sha256 is {found}, vendor.toml wants {wanted}", 1)


def check(folder):
    for package in read_list(folder).values():
        for name, wanted in package["files"].items():
            path = folder / pathlib.PurePosixPath(name).name
            try:
                compare(path, path.read_bytes(), wanted)
            except OSError as error:
                raise Failed(f"{path}: {error.strerror}", 1) from None


def fetch(folder):
    if not shutil.which("npm"):
        raise Failed("npm is not found; it is needed to fetch, not to check", 3)
    for name, package in read_list(folder).items():
        with tempfile.TemporaryDirectory() as scratch:
            done = subprocess.run(["npm", "pack", "--silent", f"{name}@{package['version']}"], cwd=scratch,
                                  capture_output=True, text=True)
            archives = list(pathlib.Path(scratch).glob("*.tgz"))
            if done.returncode != 0 or len(archives) != 1:
                raise Failed(f"npm cannot get {name}@{package['version']}: {done.stderr.strip()[:200]}", 3)
            digest = hashlib.sha512(archives[0].read_bytes()).digest()
            found = "sha512-" + base64.b64encode(digest).decode()
            if found != package["integrity"]:
                raise Failed(f"{name}@{package['version']}: integrity is {found}, vendor.toml wants "
                             f"{package['integrity']}", 1)
            with tarfile.open(archives[0]) as archive:
                got = {path: archive.extractfile(f"package/{path}").read() for path in package["files"]}
        for path, wanted in package["files"].items():
            compare(f"{name}@{package['version']}/{path}", got[path], wanted)
            (folder / pathlib.PurePosixPath(path).name).write_bytes(got[path])


def main():
    args = options.parse("vendor", sys.argv[1:])
    {"check": check, "fetch": fetch}[args.word](args.folder or FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
