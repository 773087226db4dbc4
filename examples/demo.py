"""The demonstration behind `make demo`: from nothing to an answering application, and on, with what was seen.

It types what a user would type: `pilothouse` and `kubectl`. Every step checks what it shows and ends the demonstration
when it is not so.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

HERE = Path(__file__).resolve().parent
PATH = "/cgi-bin/answer"
PILOTHOUSE = [sys.executable, "-m", "pilothouse.cli"]


class Demonstration:
    """One run, on the cluster in `home`."""

    def __init__(self, home: str) -> None:
        self.place = ["--home", home] if home else []
        self.begin = time.monotonic()
        self.kubeconfig = ""

    def say(self, text: str) -> None:
        print(f"\n\033[1m[{time.monotonic() - self.begin:4.1f} s] {text}\033[0m", flush=True)

    def run(self, *command: str, quiet: bool = False) -> str:
        if not quiet:
            print(f"$ {' '.join(command)}", flush=True)
        environment = {**os.environ, "KUBECONFIG": self.kubeconfig}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
        if not quiet:
            print(done.stdout, end="", flush=True)
        return done.stdout

    def kubectl(self, *words: str, quiet: bool = False) -> str:
        return self.run("kubectl", *words, quiet=quiet)

    def pods(self) -> dict[str, bool]:
        """Whether each pod of the application is Ready."""
        found = json.loads(self.kubectl("get", "pods", "-l", "app=hello", "-o", "json", quiet=True))
        return {
            pod["metadata"]["name"]: any(
                each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", [])
            )
            for pod in found["items"]
            if "deletionTimestamp" not in pod["metadata"]
        }

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something to hold."""
        limit = time.monotonic() + 60
        while not condition():
            if time.monotonic() > limit:
                sys.exit(f"this did not happen within a minute: {what}")
            time.sleep(0.1)

    def up(self) -> None:
        self.say("A cluster of one node")
        if subprocess.run([*PILOTHOUSE, "up", *self.place], check=False, stdout=subprocess.DEVNULL).returncode:
            sys.exit(1)  # it has said why
        status = subprocess.run([*PILOTHOUSE, "status", "-o", "json", *self.place], check=True, capture_output=True)
        self.kubeconfig = json.loads(status.stdout)["kubeconfig"]
        self.kubectl("get", "nodes", "-o", "wide")

    def build(self, version: str) -> None:
        print(f"$ pilothouse image build -t hello:{version} examples/hello", flush=True)
        options = ["--build-context", "machine=/usr/bin", "--build-arg", f"VERSION={version}", "-t", f"hello:{version}"]
        build = [*PILOTHOUSE, "image", "build", *options, *self.place, str(HERE / "hello")]
        done = subprocess.run(build, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"the image could not be built:\n{done.stdout}{done.stderr}")

    def apply(self) -> None:
        self.say("The application: its image, its manifests, three replicas on containers")
        self.build("1")
        self.kubectl("apply", "-f", str(HERE / "hello" / "hello.yaml"))
        self.kubectl("run", "visitor", "--image=hello:1", "--restart=Never", quiet=True)
        self.kubectl("rollout", "status", "deployment/hello", "--timeout=60s")
        self.kubectl("get", "pods", "-o", "wide")

    def reach(self) -> None:
        self.say("Answers through the Service: by its cluster IP from here, by its DNS name from another pod")
        address = self.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}", quiet=True)
        self.url = f"http://{address}{PATH}"
        answers = Counter(ask(self.url) for _ in range(12))
        print(f"12 requests to {self.url}:")
        for answer, times in sorted(answers.items()):
            print(f"  {times:2} x {answer}")
        self.kubectl("wait", "--for=condition=Ready", "pod/visitor", "--timeout=60s", quiet=True)
        self.kubectl(
            "exec", "visitor", "--", "/bin/busybox", "wget", "-qO-", f"http://hello.default.svc.cluster.local{PATH}"
        )

    def replace(self) -> None:
        self.say("A deleted pod is replaced")
        victim = min(self.pods())
        self.kubectl("delete", "pod", victim, "--wait=false")
        self.until(lambda: victim not in self.pods() and sum(self.pods().values()) == 3, "three pods Ready again")
        self.kubectl("get", "pods", "-l", "app=hello")

    def scale(self) -> None:
        self.say("Scaled to five")
        self.kubectl("scale", "deployment/hello", "--replicas=5")
        self.kubectl("rollout", "status", "deployment/hello", "--timeout=60s", quiet=True)
        self.kubectl("get", "deployment", "hello")

    def roll(self) -> None:
        self.say("A rolling update to version 2, under a client that counts failures")
        self.build("2")
        with Visitor(self.url) as visitor:
            self.kubectl("set", "image", "deployment/hello", "hello=hello:2")
            self.kubectl("rollout", "status", "deployment/hello", "--timeout=90s", quiet=True)
            self.until(lambda: len(self.pods()) == 5, "five pods")
        print(f"{visitor.asked} requests meanwhile, {len(visitor.failures)} failed")
        if visitor.failures:
            sys.exit("\n".join(visitor.failures[:5]))
        self.expect("version 2")

    def undo(self) -> None:
        self.say("And back")
        self.kubectl("rollout", "undo", "deployment/hello")
        self.kubectl("rollout", "status", "deployment/hello", "--timeout=90s", quiet=True)
        self.until(lambda: len(self.pods()) == 5, "five pods")
        self.expect("version 1")

    def expect(self, text: str) -> None:
        """Show an answer, which must hold `text`."""
        answer = ask(self.url)
        print(f"{self.url}: {answer}")
        if text not in answer:
            sys.exit(f"expected {text}")

    def finish(self) -> None:
        self.say("Done. The cluster stays up")
        print(f"export KUBECONFIG={self.kubeconfig}\nkubectl get all\nmake down   # when you have seen enough")


class Visitor:
    """Asks the application again and again, each time anew, and notes what fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.01):
            self.asked += 1
            try:
                ask(self.url)
            except OSError as error:
                self.failures.append(f"request {self.asked}: {error}")


def ask(url: str) -> str:
    """One answer. Raises OSError."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode().strip())


def main() -> None:
    """Show it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", default="", help="the cluster's directory")
    show = Demonstration(parser.parse_args().home)
    for step in (show.up, show.apply, show.reach, show.replace, show.scale, show.roll, show.undo, show.finish):
        step()


if __name__ == "__main__":
    main()
