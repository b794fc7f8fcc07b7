# SPDX-License-Identifier: Apache-2.0
"""Runs on this machine, a given number at once."""
import queue
import threading

from .execute import end_group, execute

TICK_S = 0.5


class LocalLauncher:
    name = "local"

    def __init__(self, jobs):
        self.jobs = jobs
        self.stopping = threading.Event()
        self.processes = set()
        self.lock = threading.Lock()

    def records(self, plan, indices, regression, root):
        """Yields the record of each run as it ends, None now and then meanwhile; at most `jobs` are under way."""
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
                    result = execute(run, regression, root, self.started)
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

    def started(self, process):
        with self.lock:
            self.processes.add(process)

    def stop(self):
        """Ends what is under way."""
        self.stopping.set()
        with self.lock:
            for process in self.processes:
                if process.returncode is None:
                    end_group(process.pid)
