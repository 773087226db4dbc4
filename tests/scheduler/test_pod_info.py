from typing import Any

import pytest

from pilothouse.scheduler.pod_info import HostPort, PodInfo, pod_requests
from pilothouse.scheduler.taints import Toleration
from scheduler.samples import GIB, info, pod

MIB = 1024**2


def _container(name: str = "c", **requests: str) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": requests}}


def _sidecar(name: str, **requests: str) -> dict[str, Any]:
    return {**_container(name, **requests), "restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("spec", "status", "requests", "cpu", "memory"),
    [
        ({"containers": [_container()]}, {}, {}, 100, 200 * MIB),
        ({"containers": [_container(cpu="0", memory="0")]}, {}, {}, 0, 0),
        ({"containers": [_container(cpu="1.5"), _container(memory="1Gi")]}, {}, {"cpu": 1500, "memory": GIB}, 1600,
         GIB + 200 * MIB),
        ({"containers": [_container(cpu="100m")], "initContainers": [_container(cpu="2")]}, {}, {"cpu": 2000}, 2000,
         200 * MIB),
        ({"containers": [_container(cpu="1")], "initContainers": [_sidecar("s", cpu="1"), _container(cpu="1500m")]}, {},
         {"cpu": 2500}, 2500, 400 * MIB),
        ({"containers": [_container(cpu="1", memory="1Gi")], "overhead": {"cpu": "250m", "memory": "1Gi"}}, {},
         {"cpu": 1250, "memory": 2 * GIB}, 1250, 2 * GIB),
        ({"containers": [_container(cpu="1")], "resources": {"requests": {"cpu": "3", "memory": "1Gi"}}}, {},
         {"cpu": 3000, "memory": GIB}, 3000, GIB),
        ({"containers": [{**_container(), "resources": {"requests": {"example.org/gpu": "2"}}}]}, {},
         {"example.org/gpu": 2}, 100, 200 * MIB),
        ({"containers": [_container(cpu="1", memory="1Gi")]},
         {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "512Mi"}}}]},
         {"cpu": 2000, "memory": GIB}, 2000, GIB),
        ({"containers": [_container(cpu="1", memory="1Gi")]},
         {"containerStatuses": [{"name": "c", "allocatedResources": {"memory": "3Gi"}}]},
         {"cpu": 1000, "memory": 3 * GIB}, 1000, 3 * GIB),
        ({"containers": [_container(cpu="4", memory="1Gi")]},
         {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "512Mi"}}}],
          "conditions": [{"type": "PodResizePending", "reason": "Infeasible", "status": "True"}]},
         {"cpu": 2000, "memory": GIB // 2}, 2000, GIB // 2),
        ({"containers": [_container(cpu="4", memory="1Gi")]},
         {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}}],
          "conditions": [{"type": "PodResizePending", "reason": "Deferred", "status": "True"}]},
         {"cpu": 4000, "memory": GIB}, 4000, GIB),
        ({"containers": [_container(cpu="1", memory="1Gi")], "initContainers": [_sidecar("s", cpu="1", memory="1Gi")]},
         {"initContainerStatuses": [{"name": "s", "resources": {"requests": {"cpu": "3", "memory": "1Gi"}}}]},
         {"cpu": 4000, "memory": 2 * GIB}, 4000, 2 * GIB),
        ({"containers": [_container(**{"hugepages-2Mi": "64Mi", "ephemeral-storage": "1Gi"})],
          "resources": {"requests": {"hugepages-2Mi": "128Mi"}}}, {},
         {"hugepages-2Mi": 128 * MIB, "ephemeral-storage": GIB}, 100, 200 * MIB),
        ({"containers": [_container(cpu="500u"), _container(cpu="500u")]}, {}, {"cpu": 1}, 1, 400 * MIB),
    ],
)  # fmt: skip
def test_what_a_pod_needs(spec: Any, status: Any, requests: dict[str, int], cpu: int, memory: int) -> None:
    found, non_zero = pod_requests({"spec": spec, "status": status})
    assert found == {**requests, "pods": 1}
    assert non_zero == {"cpu": cpu, "memory": memory}


def test_a_pod_is_read() -> None:
    found = info(
        priority=7,
        ports=[{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81},
               {"hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"}],
        tolerations=[{"key": "a", "operator": "Exists"}, {"key": "b", "value": "c", "effect": "NoSchedule"}],
        initContainers=[{"name": "i", "image": "init"}],
        volumes=[{"name": "v", "image": {"reference": "data:2"}}, {"name": "w", "emptyDir": {}}],
        on="n",
    )  # fmt: skip
    assert (found.key.namespace, found.key.name, found.uid, found.priority) == ("ns", "p", "uid-p", 7)
    assert found.ports == (HostPort("0.0.0.0", "TCP", 8080), HostPort("10.0.0.1", "UDP", 53))
    assert found.tolerations == (Toleration("a", "Exists", "", ""), Toleration("b", "Equal", "c", "NoSchedule"))
    assert found.images == ("init", "example:1", "data:2")
    assert found.node_name == "n"


def test_an_empty_pod_is_read() -> None:
    found = PodInfo.of(pod())
    assert (found.priority, found.ports, found.tolerations, found.node_name) == (0, (), (), "")


@pytest.mark.parametrize(
    ("newer", "same"),
    [
        ({"requests": {"cpu": "1"}}, True),
        ({"requests": {"cpu": "1"}, "labels": {"a": "b"}, "status": {"phase": "Running"}}, True),
        ({"requests": {"cpu": "2"}}, False),
        ({"requests": {"cpu": "1"}, "ports": [{"hostPort": 80}]}, False),
        ({"requests": {"cpu": "1"}, "overhead": {"cpu": "1"}}, False),
        ({"requests": {"cpu": "1"}, "status": {"containerStatuses": [{"name": "c", "ready": True}]}}, True),
        ({"requests": {"cpu": "1"},
          "status": {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]}}, False),
    ],
)  # fmt: skip
def test_a_newer_state_that_needs_the_same_takes_the_place(newer: dict[str, Any], same: bool) -> None:
    known = info(requests={"cpu": "1"}, on="n")
    view = pod(on="n", **newer)
    assert known.take_over(view) is same
    assert (known.pod is view) is same
