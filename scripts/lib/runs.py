# SPDX-License-Identifier: Apache-2.0
"""Where a run is: the folder that it wrote, or the one of a regression's run (runs/ID) that holds it."""


def run_folder(path):
    return path / "latest" if not (path / "result.json").exists() and (path / "latest").is_dir() else path
