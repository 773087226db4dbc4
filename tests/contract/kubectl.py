"""kubectl, as a program that is run."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

NOT_ENDING = (
    "go-template={{ range .items }}{{ if not .metadata.deletionTimestamp }}{{ .metadata.name }}"
    '{{ "\\n" }}{{ end }}{{ end }}'
)
"""Prints the names of those that nobody has deleted."""


class Kubectl:
    """Runs it with the options that reach the cluster, in one namespace."""

    def __init__(self, command: Sequence[str], namespace: str) -> None:
        self._command = [*command, "-n", namespace]

    def __call__(self, *arguments: str, text: str = "", code: int = 0) -> str:
        """What it printed; it must end with `code`."""
        done = subprocess.run(
            self.line(*arguments), input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def line(self, *arguments: str) -> list[str]:
        """The command line."""
        return [*self._command, *arguments]

    def json(self, *arguments: str) -> Any:
        """What it printed, as JSON."""
        return json.loads(self(*arguments, "-o", "json"))
