"""What metrics tell, under upstream's names."""

import math
from pathlib import Path

import pytest

from kubelet.identity.asking import DAY, pair
from kubelet.identity.test_store import Clock
from pilothouse.kubelet.identity.counts import ClientCounts, ServingCounts, seconds_left
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore
from pilothouse.runtime.metrics import Metrics


def test_the_client_certificate(tmp_path: Path) -> None:
    metrics, clock = Metrics(), Clock()
    counts = ClientCounts(metrics, CertificateStore(tmp_path, CLIENT, clock, pair()), clock)  # type: ignore[arg-type]
    counts.failed()
    counts.rotated(7.0)
    page = metrics.page().decode()
    assert "\nkubelet_certificate_manager_client_ttl_seconds 8.64e+06\n" in page
    assert "\nkubelet_certificate_manager_client_expiration_renew_errors 1.0\n" in page


def test_the_serving_certificate(tmp_path: Path) -> None:
    metrics, clock = Metrics(), Clock()
    counts = ServingCounts(metrics, CertificateStore(tmp_path, CLIENT, clock), clock)  # type: ignore[arg-type]
    counts.failed()
    counts.rotated(100.0)
    page = metrics.page().decode()
    assert "\nkubelet_certificate_manager_server_ttl_seconds +Inf\n" in page
    assert "\nkubelet_server_expiration_renew_errors 1.0\n" in page
    assert '\nkubelet_certificate_manager_server_rotation_seconds_bucket{le="60.0"} 0.0\n' in page
    assert '\nkubelet_certificate_manager_server_rotation_seconds_bucket{le="3600.0"} 1.0\n' in page


@pytest.mark.parametrize(("days", "left"), [(10, 90 * DAY), (100, 0.0), (101, math.inf)])
def test_what_is_left_of_a_life(tmp_path: Path, days: int, left: float) -> None:
    clock = Clock()
    store = CertificateStore(tmp_path, CLIENT, clock, pair())  # type: ignore[arg-type]
    clock.time += days * DAY
    assert seconds_left(store, clock) == left  # type: ignore[arg-type]
