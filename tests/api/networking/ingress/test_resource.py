"""Source: TestIngressStrategy and relatives in pkg/registry/networking/ingress/strategy_test.go."""

from typing import Any

import pytest

from pilothouse.api.networking.ingress import RESOURCE

OLD_WAY: dict[str, Any] = {"metadata": {"annotations": {"kubernetes.io/ingress.class": "a"}}, "spec": {}}
TOLD = "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"


@pytest.mark.parametrize(
    ("obj", "old", "told"),
    [
        (OLD_WAY, None, [TOLD]),
        (OLD_WAY, OLD_WAY, []),
        ({**OLD_WAY, "spec": {"ingressClassName": "a"}}, None, []),
        ({"spec": {}}, None, []),
    ],
)
def test_warnings(obj: dict[str, Any], old: dict[str, Any] | None, told: list[str]) -> None:
    assert RESOURCE.warn is not None
    assert RESOURCE.warn(obj, old) == told
