# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium for tests of pages, over its debugging pipe: standard library only, no port, no network.

with Browser() as browser:
    browser.open("file:///.../report.html")
    browser.evaluate("document.title")
    assert not browser.complaints      # uncaught errors, console errors, refused or attempted requests
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# As root in a container there is no user namespace to build a sandbox from, and /dev/shm may be small.
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--mute-audio", "--remote-debugging-pipe", "about:blank")


class BrowserFailed(Exception):
    pass


class Browser:
    def __init__(self, seconds=30, width=1280, height=900):
        program = next((p for p in map(shutil.which, PROGRAMS) if p), None)
        if not program:
            raise BrowserFailed("chromium is not found; it is in scripts/packages.txt")
        self.seconds, self.number, self.buffer, self.events = seconds, 0, b"", []
        self.complaints, self.requests, self.session = [], [], None
        self.profile = tempfile.mkdtemp(prefix="browser.")
        self.log = open(os.path.join(self.profile, "log"), "w+b")
        theirs_in, self.to = os.pipe()
        self.of, theirs_out = os.pipe()

        def pipes():  # Chromium reads commands from 3 and answers on 4; high numbers first, so that none is lost
            first, second = os.dup2(theirs_in, 200), os.dup2(theirs_out, 201)
            os.dup2(first, 3)
            os.dup2(second, 4)
        self.process = subprocess.Popen([program, f"--user-data-dir={self.profile}", f"--window-size={width},{height}", *FLAGS],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, close_fds=False,
                                        preexec_fn=pipes, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
            self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for pipe in (self.to, self.of):
            os.close(pipe)
        try:
            self.process.wait(5)  # it ends when its pipe does
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        try:
            os.write(self.to, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise BrowserFailed(f"chromium has ended: {self.words()}") from None
        answer = self.wait(lambda m: m.get("id") == message["id"], method)
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait(self, wanted, what):
        """The next message that is wanted; all others are events and are noted."""
        deadline = time.monotonic() + self.seconds
        while True:
            while b"\0" in self.buffer:
                text, self.buffer = self.buffer.split(b"\0", 1)
                message = json.loads(text)
                self.note(message)
                if wanted(message):
                    return message
            ready, _, _ = select.select([self.of], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.of, 1 << 20) if ready else b""
            if not chunk:
                why = "has ended" if ready else f"did not answer in {self.seconds} s"
                raise BrowserFailed(f"chromium {why} ({what}): {self.words()}")
            self.buffer += chunk

    def words(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()[-400:]

    def note(self, message):
        method, values = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            self.complaints.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in values["args"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.complaints.append(values["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])

    def open(self, url):
        """Loads a page and waits for its scripts."""
        self.call("Page.navigate", url=url)
        self.wait(lambda m: m.get("method") == "Page.loadEventFired", url)

    def evaluate(self, script):
        """The value of an expression in the page; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserFailed(result["exceptionDetails"].get("exception", {}).get("description") or script)
        return result["result"].get("value")

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media="",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" and len(key) == 1 else "")

    def screenshot(self, path, whole=False):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **(
            {"clip": {"x": 0, "y": 0, "scale": 1, **self.evaluate(
                "({width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight})")}}
            if whole else {}))["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"]))
