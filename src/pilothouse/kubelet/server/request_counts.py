"""Requests to the kubelet's API, by path. A stream counts until it has begun.

Names and labels: pkg/kubelet/server/metrics/metrics.go; which paths have a name of their own: pkg/kubelet/server.
"""

from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.net.http import Handler, Request, Response
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

_LABELS = ("method", "path", "server_type", "long_running")
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_PATHS = frozenset({
    "attach", "checkpoint", "configz", "containerLogs", "debug", "exec", "flagz", "healthz", "logs", "metrics", "pods",
    "portForward", "run", "runningpods", "stats", "statusz",
})  # fmt: skip
_LONG = frozenset({"attach", "debug", "exec", "portForward"})


def counted(handler: Handler, metrics: Metrics, clock: Clock) -> Handler:
    """The handler, with its requests counted."""
    total = metrics.counter(
        "kubelet_http_requests_total", "[ALPHA] Number of the http requests received since the server started", _LABELS
    )
    seconds = metrics.histogram(
        "kubelet_http_requests_duration_seconds", "[ALPHA] Duration in seconds to serve http requests", _LABELS,
        buckets=DEFAULTS,
    )  # fmt: skip
    at_once = metrics.gauge(
        "kubelet_http_inflight_requests", "[ALPHA] Number of the inflight http requests", _LABELS
    )  # fmt: skip

    async def handle(request: Request) -> Response:
        labels, began = labels_of(request.method, request.target), clock.monotonic()
        total.labels(*labels).inc()
        at_once.labels(*labels).inc()
        try:
            return await handler(request)
        finally:
            at_once.labels(*labels).dec()
            seconds.labels(*labels).observe(clock.monotonic() - began)

    return handle


def labels_of(method: str, target: str) -> tuple[str, str, str, str]:
    """Few: what callers ask for must not make pages long."""
    path = target.partition("?")[0].strip("/")
    root = path.partition("/")[0]
    name = path if path in ("metrics/cadvisor", "metrics/probes", "metrics/resource", "stats/summary") else root
    known = name if root in _PATHS else "other"
    return method if method in _METHODS else "other", known, "readwrite", str(root in _LONG).lower()
