# SPDX-License-Identifier: Apache-2.0
"""Runs on this machine, a given number at once."""
import queue
import threading

from .execute import execute
from .guard import Guard

TICK_S = 0.5


class LocalLauncher:
    name = "local"

    def __init__(self, jobs):
        self.jobs = jobs
        self.stopping = threading.Event()
        self.guard = None

    def records(self, plan, indices, regression, root):
        """Yields the record of each run as it ends, None now and then meanwhile; at most `jobs` are under way."""
        self.guard = Guard()
        todo, done = queue.SimpleQueue(), queue.SimpleQueue()
        for index in indices:
            todo.put(plan["runs"][index])

        def worker():
            while not self.stopping.is_set():
                try:
                    run = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    result = execute(run, regression, root, self.guard.watch)
                except Exception as error:  # disk full, for one: the regression stops here
                    result = error
                if not self.stopping.is_set():  # else ended by us, not by itself
                    done.put(result)

        threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(self.jobs, len(indices)))]
        for thread in threads:
            thread.start()
        left = len(indices)
        while left:
            try:
                result = done.get(timeout=TICK_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(result, Exception):
                raise result
            left -= 1
            yield result

    def stop(self):
        """Ends what is under way."""
        self.stopping.set()
        if self.guard:
            self.guard.close()
