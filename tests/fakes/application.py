"""An application of the tests' own, with names that no other test has, and a client that counts failures."""

import threading
import urllib.request
from typing import Any, Self


def deployment(name: str, image: str, replicas: int = 2) -> dict[str, Any]:
    """A web server on port 8080 that says who answers, in `image`."""
    labels = {"app": name}
    container = {
        "name": "web",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/cgi-bin/answer", "port": "http"}, "periodSeconds": 1},
        # A command, not `sleep`: kubectl before 1.29 knows no other and drops it from what it writes back.
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/busybox", "sleep", "2"]}}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "50%"}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 5},
            },
        },
    }


def service(name: str) -> dict[str, Any]:
    """The Service in front of it."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def ask(address: str) -> str:
    """One answer. Raises OSError."""
    with urllib.request.urlopen(f"http://{address}/cgi-bin/answer", timeout=10) as answer:
        return str(answer.read().decode().strip())


class Visitor:
    """Asks again and again, on a new connection each time, and notes what fails."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self.answers: list[str] = []
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stop.wait(0.02):
            try:
                self.answers.append(ask(self._address))
            except OSError as error:
                self.failures.append(f"after {len(self.answers)} answers: {error}")
