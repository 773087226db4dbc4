"""The command line of Pilothouse and kubectl, used on one home as a user would."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.slowness import SLOWNESS

PATIENCE = 60.0 * SLOWNESS


class Cluster:
    """One home and the commands on it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def kubeconfig(self) -> Path:
        return self.home / "admin.kubeconfig"

    def run(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """`pilothouse WORDS --home HOME`."""
        command = [sys.executable, "-m", "pilothouse.cli", *words, "--home", str(self.home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "-o", "json", check=True).stdout)
        return found

    def pids(self) -> dict[str, int]:
        """The processes that are ready, by role."""
        return {each["role"]: each["pid"] for each in self.status()["processes"] if each["ready"]}

    def kubectl(self, *words: str, text: str = "", binary: str = "kubectl") -> str:
        """What kubectl prints; its failure fails the test."""
        done = self.try_kubectl(*words, text=text, binary=binary)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def try_kubectl(
        self, *words: str, text: str = "", binary: str = "kubectl"
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        command = [binary, "--kubeconfig", str(self.kubeconfig), *words]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=150)

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get WORDS -o json`."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def eventually(condition: Callable[[], object], what: str = "", patience: float = PATIENCE) -> None:
    """Wait until something holds; asking takes a process each time, so it does not spin."""
    until = time.monotonic() + patience  # noqa: TID251 - real clusters live in real time
    while not condition():
        assert time.monotonic() < until, what or condition  # noqa: TID251


def is_root() -> bool:
    return os.geteuid() == 0
