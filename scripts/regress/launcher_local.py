# SPDX-License-Identifier: Apache-2.0
"""Runs on this machine, a given number at once."""
import os
import queue
import signal
import threading

from .execute import execute


class LocalLauncher:
    name = "local"

    def __init__(self, jobs):
        self.jobs = jobs
        self.stopping = threading.Event()
        self.processes = set()
        self.lock = threading.Lock()

    def records(self, plan, indices, regression, root):
        """Yields the record of each run as it ends; at most `jobs` are under way."""
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
                except OSError as error:  # disk full: the regression stops here
                    result = error
                if self.stopping.is_set() and not isinstance(result, OSError):
                    return  # ended by us, not by itself
                done.put(result)

        threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(self.jobs, len(indices)))]
        for thread in threads:
            thread.start()
        for _ in indices:
            result = done.get()
            if isinstance(result, OSError):
                raise result
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
                    try:
                        os.killpg(process.pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
