"""What metrics tell of a node's certificates. Names and words: pkg/kubelet/certificate/kubelet.go, cmd/kubelet/app."""

import math
from typing import Protocol

from pilothouse.kubelet.identity.store import CertificateStore
from pilothouse.net.pki import expiry
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

_DAY = 86_400.0
_AGES = (60.0, 3600.0, 14_400.0, _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY, 180 * _DAY, 360 * _DAY, 1440 * _DAY)
_ERRORS = "[ALPHA] Counter of certificate renewal errors."
_CLIENT_LEFT = (
    "[ALPHA] Gauge of the TTL (time-to-live) of the Kubelet's client certificate. The value is in seconds until "
    "certificate expiry (negative if already expired). If client certificate is invalid or unused, the value will be "
    "+INF."
)
_SERVER_LEFT = (
    "[ALPHA] Gauge of the shortest TTL (time-to-live) of the Kubelet's serving certificate. The value is in seconds "
    "until certificate expiry (negative if already expired). If serving certificate is invalid or unused, the value "
    "will be +INF."
)
_AGE = "[ALPHA] Histogram of the number of seconds the previous certificate lived before being rotated."


class Counts(Protocol):
    """What a rotation tells."""

    def failed(self) -> None:
        """A certificate was not to be had."""
        ...

    def rotated(self, age: float) -> None:
        """There is another; the one before had lived so many seconds."""
        ...


class ClientCounts:
    """Those of the client certificate."""

    def __init__(self, metrics: Metrics, store: CertificateStore, clock: Clock) -> None:
        self._errors = metrics.tally("kubelet_certificate_manager_client_expiration_renew_errors", _ERRORS)
        left = metrics.gauge("kubelet_certificate_manager_client_ttl_seconds", _CLIENT_LEFT)
        left.set_function(lambda: seconds_left(store, clock))

    def failed(self) -> None:
        """One more error."""
        self._errors.inc()

    def rotated(self, age: float) -> None:
        """Nothing: upstream counts it of serving certificates alone."""


class ServingCounts:
    """Those of the serving certificate."""

    def __init__(self, metrics: Metrics, store: CertificateStore, clock: Clock) -> None:
        self._errors = metrics.tally("kubelet_server_expiration_renew_errors", _ERRORS)
        self._ages = metrics.histogram("kubelet_certificate_manager_server_rotation_seconds", _AGE, buckets=_AGES)
        left = metrics.gauge("kubelet_certificate_manager_server_ttl_seconds", _SERVER_LEFT)
        left.set_function(lambda: seconds_left(store, clock))

    def failed(self) -> None:
        """One more error."""
        self._errors.inc()

    def rotated(self, age: float) -> None:
        """One more certificate that was replaced at this age."""
        self._ages.observe(age)


def seconds_left(store: CertificateStore, clock: Clock) -> float:
    """Until the certificate ends. Infinite where there is none to show."""
    pair = store.current()
    return math.inf if pair is None else float(math.trunc(expiry(pair.certificate) - clock.now()))
