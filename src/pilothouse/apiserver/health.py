"""Health: /livez, /readyz and the older /healthz, with a line a check for `?verbose`.

Source: "Kubernetes API health endpoints" of the reference, apiserver/pkg/server/healthz.
"""

from collections.abc import Callable, Mapping

from pilothouse.apiserver.exchange import Exchange
from pilothouse.net.http import Response

Check = Callable[[], str]
"""Empty when all is well, else what is wrong; the text stays in the server's own hands."""

_TEXT = "text/plain; charset=utf-8"


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
        excluded = exchange.info.query.get("exclude", ())
        chosen = {single: checks[single]} if single else {n: c for n, c in checks.items() if n not in excluded}
        failed = {name for name, check in chosen.items() if check()}
        lines = [f"[-]{name} failed: reason withheld" if name in failed else f"[+]{name} ok" for name in chosen]
        if failed:
            return Response(500, "\n".join([*lines, f"{root} check failed\n"]).encode(), {}, _TEXT)
        if single or "verbose" not in exchange.info.query:
            return Response(200, b"ok", {}, _TEXT)
        return Response(200, "\n".join([*lines, f"{root} check passed\n"]).encode(), {}, _TEXT)


def _nothing() -> str:
    return ""
