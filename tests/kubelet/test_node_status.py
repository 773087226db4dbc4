"""A node's status as upstream would draw it up: pkg/kubelet/nodestatus/setters_test.go names the cases."""

from dataclasses import replace
from typing import Any

import pytest

from pilothouse.kubelet import node_status
from pilothouse.kubelet.cri.interface import Image, RuntimeCondition, RuntimeStatus, Version
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.kubelet.reporting import NodeReporting
from pilothouse.kubelet.reservations import Reservations

MACHINE = Machine(4, 8 << 30, {2 << 20: 16, 1 << 30: 0}, "m", "u", "b", "6.1", "Debian", "amd64")
DISK = Disk(100 << 30, 60 << 30, 1000, 900)
EVICTION = EvictionPolicy()


def test_capacity_and_allocatable() -> None:
    assert node_status.capacity(MACHINE, DISK, 110) == {
        "cpu": "4", "ephemeral-storage": "100Gi", "hugepages-2Mi": "32Mi", "hugepages-1Gi": "0", "memory": "8Gi",
        "pods": "110",
    }  # fmt: skip
    assert node_status.allocatable(MACHINE, DISK, 110, EVICTION) == {
        "cpu": "4", "ephemeral-storage": "96636764000", "hugepages-2Mi": "32Mi", "hugepages-1Gi": "0",
        "memory": f"{(8 << 10) - 100 - 32}Mi", "pods": "110",
    }  # fmt: skip


@pytest.mark.parametrize(("kept", "expected"), [
    ({"cpu": "100m", "memory": "1G", "ephemeral-storage": "1Gi", "pid": "100"},
     {"cpu": "3900m", "memory": str((8 << 30) - (132 << 20) - 10**9), "ephemeral-storage": "95563022176",
      "pods": "110"}),
    ({"cpu": "8", "memory": "8Gi"}, {"cpu": "0", "memory": "0", "ephemeral-storage": "96636764000", "pods": "110"}),
])  # fmt: skip
def test_what_is_reserved_no_pod_may_have(kept: dict[str, str], expected: dict[str, str]) -> None:
    given = node_status.allocatable(MACHINE, DISK, 110, EVICTION, Reservations(kube=kept))
    assert {name: given[name] for name in expected} == expected


READY = RuntimeCondition("RuntimeReady", True)
NO_NETWORK = RuntimeCondition("NetworkReady", False, "NetworkPluginNotReady", "cni plugin not initialized")
NETWORK_TEXT = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:cni plugin not initialized"
)


@pytest.mark.parametrize(
    ("runtime", "error", "expected"),
    [
        (RuntimeStatus((READY, RuntimeCondition("NetworkReady", True))), "", []),
        (RuntimeStatus((READY, NO_NETWORK)), "", [NETWORK_TEXT]),
        (
            RuntimeStatus((RuntimeCondition("RuntimeReady", False, "Why", "so"), NO_NETWORK)),
            "",
            ["container runtime not ready: RuntimeReady=false reason:Why message:so", NETWORK_TEXT],
        ),
        (None, "gone", ["container runtime is down: gone"]),
    ],
)
def test_problems_of_the_runtime(runtime: RuntimeStatus | None, error: str, expected: list[str]) -> None:
    assert node_status.problems(runtime, error) == expected


def test_conditions_keep_the_time_of_their_last_change() -> None:
    first = node_status.conditions([], [], ["a", "b"], 100.0)
    assert [one["type"] for one in first] == ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]
    assert first[3]["message"] == "[a, b]"
    assert first[3]["reason"] == "KubeletNotReady"
    other = {"type": "NetworkUnavailable", "status": "False", "lastTransitionTime": "1970-01-01T00:00:00Z"}
    second = {one["type"]: one for one in node_status.conditions([other, *first], ["DiskPressure"], [], 200.0)}
    assert "NetworkUnavailable" not in second
    assert second["MemoryPressure"]["lastTransitionTime"] == "1970-01-01T00:01:40Z"
    assert second["MemoryPressure"]["lastHeartbeatTime"] == "1970-01-01T00:03:20Z"
    assert second["Ready"]["lastTransitionTime"] == "1970-01-01T00:03:20Z"
    told = [(second[kind]["status"], second[kind]["reason"], second[kind]["message"]) for kind in second]
    assert told == [
        ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
        ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("True", "KubeletReady", "kubelet is posting ready status"),
    ]


def test_the_largest_images_are_listed_with_few_names() -> None:
    images = [Image(f"sha256:{n}", (f"app-{n}:1",), (), n) for n in range(60)]
    images.append(Image("sha256:named", tuple(f"t:{n}" for n in range(4)), ("d@1", "d@2"), 100))
    images.append(Image("sha256:nameless", (), (), 1000))
    listed = node_status.image_list(images)
    assert len(listed) == 49
    assert listed[0] == {"names": ["d@1", "d@2", "t:0", "t:1", "t:2"], "sizeBytes": 100}
    assert listed[1] == {"names": ["app-59:1"], "sizeBytes": 59}


def test_manifest_labels_and_who_the_node_is() -> None:
    identity = NodeIdentity(name="n", address="10.0.0.1", kubelet_port=10250, labels={"a": "b"})
    meta: Any = node_status.manifest(identity, MACHINE)["metadata"]
    assert meta["labels"] == {
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "n", "kubernetes.io/os": "linux", "a": "b",
    }  # fmt: skip
    info = node_status.node_info(MACHINE, Version("containerd", "v1.6.20", "v1"))
    assert info["containerRuntimeVersion"] == "containerd://1.6.20"
    assert info["kubeletVersion"] == "v1.37.0"
    assert node_status.node_info(MACHINE, None)["containerRuntimeVersion"] == "containerd://Unknown"
    assert node_status.addresses(identity) == [
        {"type": "InternalIP", "address": "10.0.0.1"},
        {"type": "Hostname", "address": "n"},
    ]


def test_taints_are_there_when_it_registers() -> None:
    taint = {"key": "example.com/new", "effect": "NoSchedule"}
    bare = NodeIdentity(name="n", address="10.0.0.1", kubelet_port=10250)
    assert "spec" not in node_status.manifest(bare, MACHINE)
    assert node_status.manifest(replace(bare, taints=(taint,)), MACHINE)["spec"] == {"taints": [taint]}


def test_how_many_images_are_listed() -> None:
    images = [Image(f"sha256:{n}", (f"app-{n}:1",), (), n) for n in range(60)]
    assert [len(node_status.image_list(images, most)) for most in (-1, 0, 3)] == [60, 0, 3]


def test_what_a_cloud_calls_the_machine_is_there_when_it_registers() -> None:
    reporting = NodeReporting(provider_id="cloud://zone/7")
    identity = NodeIdentity(name="n", address="10.0.0.1", kubelet_port=10250, reporting=reporting)
    assert node_status.manifest(identity, MACHINE)["spec"] == {"providerID": "cloud://zone/7"}
