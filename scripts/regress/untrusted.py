# SPDX-License-Identifier: Apache-2.0
"""What a job left behind, read with limits: whatever is there, it is that job's record that is bad, no more."""
import json
import math
import os
import signal
import stat

MOST_BYTES = 16 << 20    # that a job may print, or a file of it may hold to be read
MOST_MESSAGE = 4000      # characters
MOST_LINE = 500


def whole(word):
    value = int(word)
    if not -2**63 <= value < 2**63:
        raise ValueError(f"a number has {len(word)} digits; allowed what 64 bits hold")
    return value


def real(word):
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word:.40} is no number")
    return value


def parse(text):
    """JSON that every reader of it can take; else ValueError."""
    try:
        value = json.loads(text, parse_int=whole, parse_float=real, parse_constant=real)
        json.dumps(value, ensure_ascii=False).encode()  # half characters
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return value


def take(values, kinds):
    """The named values, if all have their kinds; else ValueError."""
    if not isinstance(values, dict):
        raise ValueError("it is no table")
    for name, kind in kinds.items():
        value = values.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r:.80}")
        if isinstance(value, str) and len(value) > 2 * MOST_MESSAGE:
            raise ValueError(f"{name} has {len(value)} characters")
    return {name: values.get(name) for name in kinds}


def read(path):
    """Text of an ordinary file; else OSError or ValueError. A FIFO is not waited for."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
            raise ValueError(f"{path}: allowed an ordinary file of {MOST_BYTES >> 20} MiB at most")
        return file.read(MOST_BYTES).decode(errors="replace")


def shown(text):
    """Text that can be written anywhere: names of files need not be UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def shortened(text, most=MOST_MESSAGE):
    text = shown(text)
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most} characters more)"


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:  # those between SIGRTMIN and SIGRTMAX have none
        return f"signal {number}"
