"""What a pod as a whole needs. Source: component-helpers/resource/helpers_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.pod.needs import pod_amounts, stated_amounts, will_not_grow


def container(request: str, limit: str = "", name: str = "c") -> dict[str, Any]:
    return {"name": name, "resources": {"requests": {"cpu": request}, "limits": {"cpu": limit} if limit else {}}}


def held(request: str = "", limit: str = "", allocated: str = "") -> dict[str, Any]:
    stated = {"requests": request, "limits": limit}
    found: dict[str, Any] = {"name": "c", "allocatedResources": {"cpu": allocated} if allocated else {}}
    return {**found, "resources": {kind: {"cpu": amount} for kind, amount in stated.items() if amount}}


STUCK = {"conditions": [{"type": "PodResizePending", "reason": "Infeasible"}]}


@pytest.mark.parametrize(
    ("spec", "status", "requests", "limits"),
    [
        pytest.param({}, {}, "2", "3", id="as stated"),
        pytest.param({"overhead": {"cpu": "1"}}, {}, "3", "4", id="overhead"),
        pytest.param({"resources": {"requests": {"cpu": "5"}, "limits": {"cpu": "6"}}}, {}, "5", "6", id="as a whole"),
        pytest.param({}, {"containerStatuses": [held("4", "5")]}, "4", "5", id="it has more"),
        pytest.param({}, {"containerStatuses": [held("1", "1")]}, "2", "3", id="it has less"),
        pytest.param({}, {"containerStatuses": [held(allocated="7")]}, "7", "3", id="more is allocated"),
        pytest.param({}, {"containerStatuses": [held("1", "1")], **STUCK}, "1", "1", id="it can never have it"),
        pytest.param({}, {"containerStatuses": [{**held("4", "5"), "name": "other"}]}, "2", "3", id="another has more"),
    ],
)
def test_amounts(spec: dict[str, Any], status: dict[str, Any], requests: str, limits: str) -> None:
    pod = {"spec": {"containers": [container("2", "3")], **spec}, "status": status}
    assert str(pod_amounts(pod, "requests")["cpu"]) == requests
    assert str(pod_amounts(pod, "limits")["cpu"]) == limits


def test_overhead_alone_limits_nothing() -> None:
    pod = {"spec": {"containers": [container("1")], "overhead": {"cpu": "1", "memory": "1Mi"}}}
    assert {name: str(amount) for name, amount in pod_amounts(pod, "requests").items()} == {"cpu": "2", "memory": "1Mi"}
    assert pod_amounts(pod, "limits") == {}
    assert str(stated_amounts(pod["spec"], "requests")["cpu"]) == "1"


def test_what_can_never_grow() -> None:
    assert will_not_grow(STUCK)
    assert not will_not_grow({"conditions": [{"type": "PodResizePending", "reason": "Deferred"}]})
    assert not will_not_grow({})
