"""What a LimitRange fills in. Source: plugin/pkg/admission/limitranger/admission_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.limit_range.applied import ANNOTATION, fill_in


def container(
    name: str, requests: dict[str, str] | None = None, limits: dict[str, str] | None = None
) -> dict[str, Any]:
    stated = {"requests": requests, "limits": limits}
    return {"name": name, "resources": {kind: dict(found) for kind, found in stated.items() if found}}


CPU_AND_MEMORY = {"type": "Container", "default": {"cpu": "2", "memory": "2Gi"}, "defaultRequest": {"cpu": "1"}}
FILLED = container("c", {"cpu": "1"}, {"cpu": "2", "memory": "2Gi"})["resources"]


@pytest.mark.parametrize(
    ("items", "stated", "resources", "told"),
    [
        pytest.param([CPU_AND_MEMORY], container("c"), FILLED,
                     "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c",
                     id="all"),
        pytest.param([CPU_AND_MEMORY], container("c", {"cpu": "3"}, {"cpu": "4"}),
                     {"requests": {"cpu": "3"}, "limits": {"cpu": "4", "memory": "2Gi"}},
                     "LimitRanger plugin set: memory limit for container c", id="what is missing"),
        pytest.param([CPU_AND_MEMORY], container("c", {"cpu": "1"}, {"cpu": "2", "memory": "2Gi"}), FILLED, None,
                     id="nothing is missing"),
        pytest.param([{"type": "Pod", "max": {"cpu": "1"}}], container("c"), {}, None, id="nothing for containers"),
        pytest.param([CPU_AND_MEMORY, {"type": "Container", "default": {"cpu": "9"}}], container("c", {"cpu": "1"}),
                     {"requests": {"cpu": "1"}, "limits": {"cpu": "9", "memory": "2Gi"}},
                     "LimitRanger plugin set: cpu, memory limit for container c", id="the last item wins"),
    ],
)  # fmt: skip
def test_a_container(items: list[Any], stated: dict[str, Any], resources: dict[str, Any], told: str | None) -> None:
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": [stated]}}
    fill_in(pod, {"spec": {"limits": items}})
    assert pod["spec"]["containers"][0]["resources"] == resources
    assert pod["metadata"].get("annotations", {}).get(ANNOTATION) == told


def test_init_containers_too() -> None:
    pod: dict[str, Any] = {"metadata": {}, "spec": {"containers": [], "initContainers": [container("i")]}}
    fill_in(pod, {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}})
    assert pod["spec"]["initContainers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert pod["metadata"]["annotations"] == {ANNOTATION: "LimitRanger plugin set: cpu limit for init container i"}
