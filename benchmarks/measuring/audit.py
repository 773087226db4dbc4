"""Audit as a cluster in earnest has it: every request at Metadata, its end and the beginning of what lasts, to a file.

RequestReceived is left out, as the policies of upstream's own clusters leave it out, so a request is one line, and a
watch one more.
"""

from collections import Counter
from pathlib import Path

import orjson

_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""


class Audit:
    """A policy and a log in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self._policy = directory / "policy.yaml"
        self._policy.write_text(_POLICY)

    @property
    def flags(self) -> dict[str, str]:
        """What the API server is told."""
        return {"audit-policy-file": str(self._policy), "audit-log-path": str(self._directory / "audit.log")}

    def stages(self, user: str) -> Counter[str]:
        """How many lines there are of a user, by their stages, in the log and in what was put aside."""
        found: Counter[str] = Counter()
        for path in self._directory.glob("*.log"):
            with path.open("rb") as lines:
                events = (orjson.loads(each) for each in lines)
                found.update(each["stage"] for each in events if each["user"].get("username") == user)
        return found
