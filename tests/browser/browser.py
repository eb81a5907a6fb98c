"""A headless Chromium, spoken to through a pipe in its own protocol: nothing else is needed."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60


class Browser:
    """One page in a browser of its own."""

    def __init__(self) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise RuntimeError(f"none of {', '.join(NAMES)} is installed")
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (commands, self.write), (self.read, answers) = os.pipe(), os.pipe()

        def hand_over() -> None:
            # The browser reads from 3 and writes to 4.
            os.dup2(commands, 13)
            os.dup2(answers, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self.process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--remote-debugging-pipe",
                f"--user-data-dir={self.home.name}", "about:blank",
            ],
            preexec_fn=hand_over, pass_fds=(3, 4), stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self.rest, self.last = b"", 0
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        target = next(
            one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"
        )
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        os.close(self.write)
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        os.close(self.read)
        self.home.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") != self.last:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            return answer["result"]

    def next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.read, 1 << 20)
            if not part:
                raise RuntimeError("the browser is gone")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, page: Path, fragment: str = "") -> None:
        """Opens a page and waits until it has been drawn."""
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=page.as_uri() + fragment)
        until = time.monotonic() + PATIENCE
        ready = "document.readyState === 'complete' && !!document.querySelector('#count')?.textContent"
        while not self.run(ready):
            if time.monotonic() > until:
                raise RuntimeError(f"{page} is not drawn: {self.said()}")
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """The value of an expression."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(f"{script}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def size(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )

    def media(self, media: str = "", scheme: str = "light") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def said(self) -> list[str]:
        """Errors, and requests for anything but the page itself."""
        self.run("1")
        bad = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                bad.append(str(parameters["exceptionDetails"]))
            if method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                bad.append(parameters["entry"]["text"])
            if method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "about:")):
                    bad.append(f"it asks for {url}")
        return bad
