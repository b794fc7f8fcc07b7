# SPDX-License-Identifier: Apache-2.0
"""Where every script begins: python3 -I -X utf8 scripts/start.py NAME [ARGUMENT...]

NAME is a file of commands/, a package or module of scripts/, or the path of a script. -I: neither the caller's folder nor the
environment decides which modules are imported; -X utf8: nor does the locale what can be read and printed.

Every rejection has one form, "dodeca NAME: what is wrong; what is allowed", on one line of stderr. A script
rejects by an exception that has a `status`. One that crashes, or cannot write, ends with 3: never with a verdict.
"""
import os
import pathlib
import runpy
import sys
import traceback

SCRIPTS = pathlib.Path(__file__).resolve().parent
ROOT = SCRIPTS.parent


def start(what):
    sys.path.insert(0, str(SCRIPTS))
    file = SCRIPTS / "commands" / f"{what.removesuffix('.py')}.py"
    if file.exists():
        sys.argv[0] = str(file)
        runpy.run_path(str(file), run_name="__main__")
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


def place(error):
    """The innermost line of ours that the error went through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(ROOT))]
    return f"{pathlib.Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}"


def main():
    what = sys.argv.pop(1)
    name = pathlib.Path(what).stem
    try:
        try:
            start(what)
            status = 0
        except SystemExit as end:
            status = end.code or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        status, why = 130, "interrupted"
    except OSError as error:
        status, why = 3, f"{error.filename or 'stdout'}: {error.strerror or error}"
    except Exception as error:
        status, why = getattr(error, "status", None), str(error)
        if status is None:
            status, why = 3, f"crashed at {place(error)}: {type(error).__name__}: {error}"
    line = " ".join(f"dodeca {name}: {why}".split())
    print(f"{line:.1000}", file=sys.stderr, flush=True)
    os._exit(status)  # not once more through a stdout that cannot be written


if __name__ == "__main__":
    sys.exit(main())
