"""A request to the kubelet, read once: what is authorized is what is routed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from pilothouse.net.http import Request


@dataclass(frozen=True, slots=True)
class Question:
    """Path and query of a request."""

    request: Request
    path: str
    """Unquoted, without query."""
    query: Mapping[str, Sequence[str]]

    @property
    def parts(self) -> tuple[str, ...]:
        """The words between the slashes; a slash at the end does not count."""
        return tuple(self.path.removesuffix("/").split("/")[1:])

    def value(self, name: str) -> str:
        """The first value of a parameter; empty without one."""
        values = self.query.get(name)
        return values[0] if values else ""


def parse_question(request: Request) -> Question:
    """Read the request's target."""
    path, _, query = request.target.partition("?")
    return Question(request, unquote(path), parse_qs(query, keep_blank_values=True))
