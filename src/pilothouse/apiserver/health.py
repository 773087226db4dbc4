"""Health: /livez, /readyz and the older /healthz, with a line a check for `?verbose`.

What is wrong stays in the server's own log, but for who asks after a single check: that takes leave for its path.
Source: "Kubernetes API health endpoints" of the reference, apiserver/pkg/server/healthz.
"""

from collections.abc import Callable, Mapping

from pilothouse.apiserver.exchange import Exchange
from pilothouse.net.http import Response
from pilothouse.runtime.log import Log

log = Log(__name__)

Check = Callable[[], str]
"""Empty when all is well, else what is wrong."""

_TEXT = "text/plain; charset=utf-8"
_PLAIN = {"X-Content-Type-Options": "nosniff"}


class Lifecycle:
    """How far a server is: which of its hooks are done, and whether it is about to go."""

    def __init__(self, hooks: tuple[str, ...] = ()) -> None:
        self._waiting = dict.fromkeys(hooks)
        self._hooks = hooks
        self.ending = False

    def done(self, hook: str) -> None:
        """One of the hooks is done."""
        del self._waiting[hook]

    def live(self) -> Mapping[str, Check]:
        """Checks for /livez and /healthz, under upstream's names."""
        return {f"poststarthook/{hook}": self._check(hook) for hook in self._hooks}

    def ready(self) -> Mapping[str, Check]:
        """Checks for /readyz besides."""
        return {"shutdown": lambda: "process is shutting down" if self.ending else ""}

    def _check(self, hook: str) -> Check:
        return lambda: "not finished" if hook in self._waiting else ""


class Health:
    """Named checks. `ready` holds those that say whether requests should come here, `live` whether to go on at all."""

    def __init__(self, live: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._live = {"ping": _nothing, **live}
        self._ready = {"ping": _nothing, **live, **ready}

    def answer(self, exchange: Exchange) -> Response | None:
        """The answer to a health path; None for another path or a check that does not exist."""
        root, _, single = exchange.info.path.strip("/").partition("/")
        checks = {"livez": self._live, "readyz": self._ready, "healthz": self._live}.get(root)
        if checks is None or (single and single not in checks):
            return None
        if single:
            return _single(checks[single])
        query = exchange.info.query
        return _all(root, checks, query.get("exclude", ()), verbose="verbose" in query)


def _single(check: Check) -> Response:
    problem = check()
    if problem:
        return Response(500, f"internal server error: {problem}\n".encode(), dict(_PLAIN), _TEXT)
    return Response(200, b"ok", {}, _TEXT)


def _all(root: str, checks: Mapping[str, Check], excluded: tuple[str, ...], *, verbose: bool) -> Response:
    lines: list[str] = []
    problems: dict[str, str] = {}
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok")
        elif problem := check():
            problems[name] = problem
            lines.append(f"[-]{name} failed: reason withheld")
        else:
            lines.append(f"[+]{name} ok")
    unknown = sorted({name for name in excluded if name not in checks})
    if unknown:
        named = ",".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {named}")
    if problems:
        log.info("Health check failed", path=root, checks=problems)
        return Response(500, "\n".join([*lines, f"{root} check failed\n"]).encode(), dict(_PLAIN), _TEXT)
    if not verbose:
        return Response(200, b"ok", dict(_PLAIN), _TEXT)
    return Response(200, "\n".join([*lines, f"{root} check passed\n"]).encode(), dict(_PLAIN), _TEXT)


def _nothing() -> str:
    return ""
