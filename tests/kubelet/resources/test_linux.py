"""Requests and limits as the kernel's numbers, as upstream's cm/helpers_linux.go has them."""

from typing import Any

import pytest

from kubelet.observing import containers, pod, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.resources.linux import (
    Limits,
    container_limits,
    hugepage_limits,
    overhead_limits,
    pod_limits,
    quota,
    shares,
)

GI = 1 << 30


@pytest.mark.parametrize(("milli", "expected"), [
    (0, 2), (1, 2), (2, 2), (3, 3), (100, 102), (1000, 1024), (256_000, 262_144), (1_000_000, 262_144),
])  # fmt: skip
def test_shares(milli: int, expected: int) -> None:
    assert shares(milli) == expected


@pytest.mark.parametrize(("milli", "expected"), [(0, 0), (1, 1000), (10, 1000), (11, 1100), (1500, 150_000)])
def test_quota(milli: int, expected: int) -> None:
    assert quota(milli) == expected


def needs(cpu: str = "", memory: str = "", cpu_limit: str = "", memory_limit: str = "") -> JsonObject:
    requests = {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text}
    limits = {name: text for name, text in (("cpu", cpu_limit), ("memory", memory_limit)) if text}
    return {"requests": requests, "limits": limits}


def capped(cpu: str, memory: str) -> JsonObject:
    return needs(cpu, memory, cpu, memory)


@pytest.mark.parametrize(("resources", "expected"), [
    ({}, Limits()),
    (needs("100m"), Limits(cpu_shares=102)),
    (needs(cpu_limit="500m"), Limits(cpu_shares=512, cpu_quota=50_000)),
    (needs("0", cpu_limit="500m"), Limits(cpu_shares=2, cpu_quota=50_000)),
    (needs("100m", "1Gi", "1", "2Gi"), Limits(cpu_shares=102, cpu_quota=100_000, memory=2 * GI)),
])  # fmt: skip
def test_containers(resources: JsonObject, expected: Limits) -> None:
    assert container_limits(pod(containers=containers("a", resources=resources)).spec.containers[0]) == expected


def init(resources: JsonObject) -> list[JsonObject]:
    return containers("i", resources=resources)


@pytest.mark.parametrize(("spec", "expected"), [
    ({}, Limits()),
    ({"containers": containers("a", "b", resources=capped("500m", "1Gi"))},
     Limits(1024, 100_000, memory=2 * GI)),
    ({"containers": [*containers("a", resources=capped("500m", "1Gi")), *containers("b")]}, Limits(512)),
    ({"containers": [*containers("a", resources=capped("500m", "1Gi")),
                     *containers("b", resources=needs(memory_limit="1Gi"))]}, Limits(512, memory=2 * GI)),
    ({"containers": containers("a", resources=capped("500m", "1Gi")), "initContainers": init(capped("2", "4Gi"))},
     Limits(2048, 200_000, memory=4 * GI)),
    ({"containers": containers("a", resources=capped("500m", "1Gi")), "initContainers": init({})}, Limits(512)),
    ({"containers": containers("a", resources=capped("1", "1Gi")),
      "initContainers": [sidecar(resources=capped("1", "1Gi")), *init(capped("500m", "512Mi"))]},
     Limits(2048, 200_000, memory=2 * GI)),
    ({"containers": containers("a", resources=capped("1", "1Gi")),
      "initContainers": [sidecar(resources=capped("1", "1Gi")), *init(capped("2", "2Gi"))]},
     Limits(3072, 300_000, memory=3 * GI)),
    ({"containers": containers("a", resources=capped("1", "1Gi")), "overhead": {"cpu": "250m", "memory": "1Gi"}},
     Limits(1280, 125_000, memory=2 * GI)),
    ({"overhead": {"cpu": "250m", "memory": "1Gi"}}, Limits(256)),
    ({"containers": containers("a"), "resources": capped("1", "1Gi")}, Limits(1024, 100_000, memory=GI)),
    ({"containers": containers("a", resources=needs("100m")), "resources": needs("500m", cpu_limit="1")},
     Limits(512, 100_000)),
    ({"containers": containers("a", resources=capped("500m", "2Gi")), "resources": needs("1", cpu_limit="1")},
     Limits(1024, 100_000, memory=2 * GI)),
    ({"resources": capped("1", "1Gi"), "overhead": {"cpu": "1", "memory": "1Gi"}},
     Limits(2048, 200_000, memory=2 * GI)),
])  # fmt: skip
def test_pods(spec: dict[str, Any], expected: Limits) -> None:
    assert pod_limits(pod(**spec)) == expected
    assert pod_limits(pod(**spec), 99).pids == 99


def test_overhead() -> None:
    assert overhead_limits(pod(overhead={"cpu": "250m", "memory": "1Gi"})) == Limits(256, 25_000, memory=GI)


def test_huge_pages_that_were_not_asked_for_are_not_to_be_had() -> None:
    limits = {"limits": {"hugepages-2Mi": "4Mi"}}
    (one,) = pod(containers=containers("a", resources=limits)).spec.containers
    assert hugepage_limits(one, (2 << 20, GI)) == {"2MB": 4 << 20, "1GB": 0}
    assert hugepage_limits(one, (64 << 10,)) == {"64KB": 0, "2MB": 4 << 20}


def pages(two: str, **more: Any) -> JsonObject:
    return {"resources": {"limits": {"hugepages-2Mi": two}}, **more}


@pytest.mark.parametrize(("spec", "expected"), [
    ({}, {"2MB": 0, "1GB": 0}),
    ({"containers": [pages("4Mi", name="a"), pages("2048Ki", name="b")]}, {"2MB": 6 << 20, "1GB": 0}),
    ({"containers": [pages("4Mi", name="a")], "initContainers": [pages("8Mi", name="i")]}, {"2MB": 8 << 20, "1GB": 0}),
    ({"containers": [pages("4Mi", name="a")], "initContainers": [pages("2Mi", name="i", restartPolicy="Always")]},
     {"2MB": 6 << 20, "1GB": 0}),
    ({"containers": [pages("4Mi", name="a")], "resources": {"limits": {"hugepages-2Mi": "32Mi"}}},
     {"2MB": 32 << 20, "1GB": 0}),
    ({"containers": [{"name": "a", "resources": {"limits": {"hugepages-2048Ki": "4Mi", "hugepages-1Gi": "1Gi"}}}]},
     {"2MB": 4 << 20, "1GB": 1 << 30}),
])  # fmt: skip
def test_huge_pages_of_pods(spec: dict[str, Any], expected: dict[str, int]) -> None:
    assert pod_limits(pod(**spec), page_sizes=(2 << 20, 1 << 30)).hugepages == expected
