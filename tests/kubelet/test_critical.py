"""Which pods come first."""

from typing import Any

import pytest

from kubelet.harness import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.critical import is_critical, is_static, may_displace


def make(priority: int | None = None, **annotations: str) -> Pod:
    named = {f"kubernetes.io/config.{key}": value for key, value in annotations.items()}
    spec: dict[str, Any] = {} if priority is None else {"priority": priority}
    return Pod(pod(metadata={"annotations": named}, **spec))


@pytest.mark.parametrize(
    ("pod", "static", "critical"),
    [
        (make(), False, False),
        (make(1_999_999_999), False, False),
        (make(2_000_000_000), False, True),
        (make(source="api"), False, False),
        (make(source="file"), True, True),
        (make(source="http"), True, True),
        (make(mirror="abc"), False, True),
    ],
)
def test_static_mirror_and_system_pods_are_critical(pod: Pod, static: bool, critical: bool) -> None:
    assert (is_static(pod), is_critical(pod)) == (static, critical)


@pytest.mark.parametrize(
    ("pod", "other", "may"),
    [
        (make(2_000_000_000), make(), True),
        (make(2_000_000_000), make(2_000_000_000), False),
        (make(2_000_001_000), make(2_000_000_000), True),
        (make(source="file"), make(10), True),
        (make(source="file"), make(2_000_000_000), False),
        (make(10), make(5), True),
        (make(10), make(), False),
    ],
)
def test_who_may_displace_whom(pod: Pod, other: Pod, may: bool) -> None:
    assert may_displace(pod, other) is may
