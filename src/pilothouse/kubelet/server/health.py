"""/healthz: one word when all is well, a line a check when not, and for `?verbose`.

Source: apiserver/pkg/server/healthz as the kubelet installs it: checks `ping`, `log` and `syncloop`.
"""

from collections.abc import Callable, Mapping

from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.text import Refused, text
from pilothouse.net.http import Response

Check = Callable[[], str]
"""Empty when all is well, else what is wrong."""


def health_page(question: Question, single: str, sync_loop: Check) -> Response:
    """All checks, or the one called `single`. Raises Refused."""
    checks: Mapping[str, Check] = {"ping": _nothing, "log": _nothing, "syncloop": sync_loop}
    if single:
        if single not in checks:
            raise Refused(404, "404 page not found\n")
        wrong = checks[single]()
        return text(500, f"internal server error: {wrong}\n") if wrong else text(200, "ok")
    excluded = question.query.get("exclude", ())
    found = {name: check() for name, check in checks.items() if name not in excluded}
    lines = [f"[-]{name} failed: reason withheld" if wrong else f"[+]{name} ok" for name, wrong in found.items()]
    if any(found.values()):
        return text(500, "\n".join([*lines, "healthz check failed\n"]))
    if "verbose" not in question.query:
        return text(200, "ok")
    return text(200, "\n".join([*lines, "healthz check passed\n"]))


def _nothing() -> str:
    return ""
