"""The kernel's numbers as amounts, row by row, as upstream's convertContainerStatusResources has it."""

from dataclasses import replace
from typing import Any

import pytest

from kubelet.observing import RUNNING, containers, pod, ran
from kubelet.resizing import resources
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus
from pilothouse.kubelet.actual_resources import actual_resources, pod_resources
from pilothouse.kubelet.cri.applied import LinuxResources
from pilothouse.kubelet.observed import ResizeNote, ResizeState
from pilothouse.kubelet.resources.linux import shares

GRANTED = resources("1", "1Gi", "2", "2Gi")
UNDER_WAY, FITTED = ResizeState(in_progress=ResizeNote()), ResizeState(in_progress=ResizeNote(), fitted=True)


def told(
    granted: JsonObject, has: LinuxResources | None, before: JsonObject | None = None,
    resize: ResizeState = UNDER_WAY, *, running: bool = True,
) -> JsonObject:  # fmt: skip
    run = ran("app") if running else ran("app", 0)
    old = ContainerStatus({"resources": before} if before else {})
    return actual_resources(
        Container(containers("app", resources=granted)[0]), replace(run, resources=has), old, resize
    )


def has(weight: int, quota: int = 0, memory: int = 0) -> LinuxResources:
    return LinuxResources(cpu_period=100_000, cpu_shares=weight, cpu_quota=quota, memory_limit_in_bytes=memory)


@pytest.mark.parametrize(("granted", "runtime", "expected"), [
    (GRANTED, has(1024, 200_000, 2 << 30), GRANTED),
    (GRANTED, has(512, 150_000, 1 << 30), resources("500m", "1Gi", "1500m", "1Gi")),
    # Equal amounts keep the words of the spec.
    (resources("1000m", cpu_limit="2000m"), has(1024, 200_000), resources("1000m", cpu_limit="2000m")),
    (resources("1m", cpu_limit="5m"), has(2, 1000), resources("1m", cpu_limit="5m")),
    (resources("100m", cpu_limit="100m"), has(2, 1000), resources("2m", cpu_limit="10m")),
    # What is not granted is told where there is something of its kind.
    (resources("1", memory_limit="1Gi"), has(1024, 50_000, 1 << 30), resources("1", "", "500m", "1Gi")),
    (resources("1"), has(1024, 50_000, 1 << 30), resources("1")),
    (resources(memory="1Gi"), has(2), resources(memory="1Gi")),
    ({}, has(2), {}),
    (GRANTED, None, GRANTED),
])  # fmt: skip
def test_what_the_runtime_tells_wins(granted: JsonObject, runtime: LinuxResources | None, expected: JsonObject) -> None:
    assert told(granted, runtime) == expected


def test_what_does_not_run_has_what_it_is_granted() -> None:
    assert told(GRANTED, has(512, 150_000, 1 << 30), running=False) == GRANTED
    assert RUNNING is ran("app").state


def test_what_nobody_tells_stays_as_it_was_told() -> None:
    before = resources("3", "3Gi", "4", "4Gi")
    assert told(GRANTED, None, before) == before
    assert told(GRANTED, has(1024, 200_000, 2 << 30), before) == resources("1", "3Gi", "2", "2Gi")
    # A request of memory is in force with all the rest of it.
    assert told(GRANTED, has(1024, 200_000, 2 << 30), before, FITTED) == GRANTED
    assert told(GRANTED, has(1024, 200_000, 2 << 30), before, ResizeState()) == GRANTED


@pytest.mark.parametrize("milli", [*range(3, 200), 250, 333, 999, 1001, 1500, 64_000])
def test_requests_of_cpu_survive_the_way_through_the_kernel(milli: int) -> None:
    """Shares are fewer than thousandths: rounding down there and up here gives the same again."""
    assert told(resources("5"), has(shares(milli))) == resources(f"{milli}m" if milli % 1000 else str(milli // 1000))


def of_pod(phase: str, resize: ResizeState | None = None, before: JsonObject | None = None, **spec: Any) -> JsonObject:
    status = {"phase": phase, **({"resources": before} if before else {})}
    return pod_resources(pod(status, **spec), resize or ResizeState())


@pytest.mark.parametrize(("spec", "running", "pending"), [
    pytest.param({"containers": containers("a", "b", resources=GRANTED)},
                 resources("2", "2Gi", "4", "4Gi"), resources("2", "2Gi", "4", "4Gi"), id="all have limits"),
    pytest.param({"containers": [*containers("a", resources=GRANTED), *containers("b", resources=resources("1"))]},
                 resources("2", "1Gi"), resources("2", "1Gi", "2", "2Gi"), id="a limit that does not hold for the pod"),
    pytest.param({"containers": containers("a", resources={"requests": {"cpu": "1", "ephemeral-storage": "1Gi"}})},
                 resources("1"), {"requests": {"cpu": "1", "ephemeral-storage": "1Gi"}}, id="groups do not know disks"),
    pytest.param({"containers": containers("a", resources=resources("1")), "overhead": {"cpu": "250m"}},
                 resources("1250m"), resources("1250m"), id="with all that is around it"),
    pytest.param({"containers": containers("a", resources=resources("2m"))}, {}, resources("2m"),
                 id="no more than the kernel gives everybody"),
    pytest.param({"containers": containers("a", resources=resources("1")), "resources": resources("3", "", "4")},
                 resources("3", "", "4"), resources("3", "", "4"), id="what is stated for the pod wins"),
    pytest.param({}, {}, {}, id="nothing"),
])  # fmt: skip
def test_what_a_pod_has_in_all(spec: dict[str, Any], running: JsonObject, pending: JsonObject) -> None:
    """Source: convertToAPIPodLevelResourcesStatus; of a pod that does not run, getEffectiveAllocatedResources."""
    allocated = {"allocatedResources": pending["requests"]} if pending else {}
    assert of_pod("Running", **spec) == {"resources": running, **allocated}
    assert of_pod("Pending", **spec) == {"resources": pending, **allocated}


def test_a_pod_has_what_it_had_until_its_group_is_changed() -> None:
    before = resources("5", "5Gi")
    spec: dict[str, Any] = {"containers": containers("a", resources=resources("1", "1Gi"))}
    now = resources("1", "1Gi")
    allocated = now["requests"]
    assert of_pod("Running", UNDER_WAY, before, **spec) == {"resources": before, "allocatedResources": allocated}
    assert of_pod("Running", FITTED, before, **spec) == {"resources": now, "allocatedResources": allocated}
    assert of_pod("Running", UNDER_WAY, **spec) == {"resources": now, "allocatedResources": allocated}
