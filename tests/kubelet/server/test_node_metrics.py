"""How a node is, in metrics: names and labels as upstream's node e2e tests have them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelet.managers.giving import Giver, guaranteed
from kubelet.observing import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.observed import ResizeNote, ResizeState
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.node_metrics import NodeMetrics

STATIC = {"annotations": {"kubernetes.io/config.source": "file"}}


@dataclass
class Work:
    pod: Pod
    lifecycle: str = "sync"
    orphaned: bool = False
    placed: bool = True


def told(*pods: Work, **more: Any) -> dict[str, float]:
    """The samples, by name and labels."""
    given: dict[str, Any] = {
        "picture": dict, "resize_state": lambda _: ResizeState(), "images_removed": dict, "cgroup_version": 2,
    }  # fmt: skip
    metrics = NodeMetrics(node_name="n1", pods=lambda: pods, **{**given, **more})
    lines = page(metrics.families()).decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("kubelet_"): float(value) for name, value in samples}


def test_the_node() -> None:
    found = told(images_removed=lambda: {"age": 2, "space": 3})
    assert found['node_name{node="n1"}'] == 1
    assert found["cgroup_version"] == 2
    assert found['image_garbage_collected_total{reason="age"}'] == 2
    assert found['image_garbage_collected_total{reason="space"}'] == 3


def test_pods_by_source_and_by_how_far_they_are() -> None:
    debug = [{"name": "debug", "image": "app:1"}]
    found = told(
        Work(pod(name="a", ephemeralContainers=debug)), Work(pod(name="b"), placed=False),
        Work(pod(name="c"), "terminating", orphaned=True), Work(pod(name="s", metadata={"name": "s", **STATIC})),
        Work(pod(name="t", metadata={"name": "t", **STATIC}), "terminated", placed=False),
        picture=lambda: {"uid-a": frozenset(), "stranger": frozenset()},
    )  # fmt: skip
    assert (found['desired_pods{static=""}'], found['desired_pods{static="true"}']) == (2, 2)
    assert (found['active_pods{static=""}'], found['active_pods{static="true"}']) == (1, 1)
    assert found["mirror_pods"] == 1
    assert found["managed_ephemeral_containers"] == 1
    working = {name: value for name, value in found.items() if name.startswith("working_pods")}
    assert len(working) == 15
    assert {name: value for name, value in working.items() if value} == {
        'working_pods{config="desired",lifecycle="sync",static=""}': 2,
        'working_pods{config="orphan",lifecycle="terminating",static=""}': 1,
        'working_pods{config="desired",lifecycle="sync",static="true"}': 1,
        'working_pods{config="desired",lifecycle="terminated",static="true"}': 1,
        'working_pods{config="runtime_only",lifecycle="sync",static="unknown"}': 1,
    }


def test_what_runs() -> None:
    up, down = ContainerState.RUNNING, ContainerState.EXITED
    found = told(picture=lambda: {
        "a": frozenset({("s1", True), ("c1", up), ("c2", up)}), "b": frozenset({("s2", False), ("c3", down)}),
        "c": frozenset({("s3", True), ("s4", True)}),
    })  # fmt: skip
    assert found["running_pods"] == 2
    running = {name: value for name, value in found.items() if name.startswith("running_containers")}
    assert running == {
        'running_containers{container_state="running"}': 2, 'running_containers{container_state="exited"}': 1,
    }  # fmt: skip


def test_resizes_that_wait_and_that_are_under_way() -> None:
    states = {
        "a": ResizeState(ResizeNote("Deferred", "later")), "b": ResizeState(ResizeNote("Infeasible", "never")),
        "c": ResizeState(ResizeNote("Deferred", "later"), ResizeNote()), "d": ResizeState(),
    }  # fmt: skip
    pods = [Work(pod(name=name, metadata={"uid": name, "name": name})) for name in states]
    found = told(*pods, resize_state=lambda uid: states[uid])
    assert found['pod_pending_resizes{reason="deferred"}'] == 2
    assert found['pod_pending_resizes{reason="infeasible"}'] == 1
    assert found["pod_in_progress_resizes"] == 1


def test_processors(tmp_path: Path) -> None:
    giver = Giver(tmp_path)
    assert not [name for name in told() if name.startswith("cpu_manager")]
    giver.give(guaranteed("a", "2"))
    giver.give(guaranteed("b", "90"))
    found = {name.removeprefix("cpu_manager_"): value for name, value in told(cpus=giver.cpus).items()}
    assert found["pinning_requests_total"] == 2
    assert found["pinning_errors_total"] == 1
    assert found["exclusive_cpu_allocation_count"] == 2
    assert found["shared_pool_size_millicores"] == 1000 * (len(giver.topology.ids) - 2)
    assert found['allocation_per_numa{numa_node="0"}'] == 2
