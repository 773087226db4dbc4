"""What is told of an eviction. Upstream: helpers_test.go, TestEvictonMessageWithResourceResize and others."""

from kubelet.starving import GI, MI, asking, full, levels, share, used
from pilothouse.kubelet.eviction.messages import eviction_message
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.pressure import met
from pilothouse.kubelet.eviction.signals import observe

POLICY = EvictionPolicy(hard={"memory.available": "2Gi", "nodefs.available": "10%", "pid.available": "50%"})
SEEN = observe(levels(memory=1500 * MI, disk=full(0.05), pids=1))
DUE = met(POLICY.thresholds(), SEEN)


def test_memory_names_the_containers_that_exceed_what_they_asked_for() -> None:
    pod = asking("web", {"memory": "1Gi"})
    message, notes = eviction_message("memory", pod, used(pod, 3 * GI), DUE, SEEN)
    assert message == (
        "The node was low on resource: memory. Threshold quantity: 2Gi, available: 1500Mi. "
        "Container app was using 3Gi, request is 1Gi, has larger consumption of memory. "
    )
    assert notes == {
        "offending_containers": "app", "offending_containers_usage": "3Gi", "starved_resource": "memory",
    }  # fmt: skip
    modest = asking("web", {"memory": "3Gi"})
    message, notes = eviction_message("memory", modest, used(modest, 3 * GI), DUE, SEEN)
    assert message == "The node was low on resource: memory. Threshold quantity: 2Gi, available: 1500Mi. "
    assert notes["offending_containers"] == ""


def test_a_pod_that_asks_as_a_whole_is_named_too() -> None:
    pod = asking("web", resources={"requests": {"memory": "1Gi"}})
    message, notes = eviction_message("memory", pod, used(pod, 2 * GI), DUE, SEEN)
    assert "Pod web was using 2Gi, request is 1Gi, has larger consumption of memory. Container app" in message
    assert "Container app was using 2Gi, request is 0, has larger" in message
    assert (notes["offending_pod"], notes["offending_pod_usage"]) == ("web", "2Gi")


def test_disks_count_what_was_written_and_logged() -> None:
    pod = asking("web")
    use = used(pod, writable={"app": share(MI)}, logs={"app": share(1024)})
    message, _ = eviction_message("ephemeral-storage", pod, use, DUE, SEEN)
    assert message == (
        "The node was low on resource: ephemeral-storage. Threshold quantity: 10737418400, available: 5Gi. "
        "Container app was using 1025Ki, request is 0, has larger consumption of ephemeral-storage. "
    )
    message, _ = eviction_message("ephemeral-storage", pod, used(pod, writable={"app": share(MI)}), DUE, SEEN)
    assert "Container" not in message


def test_of_other_resources_and_unknown_pods_there_is_little_to_tell() -> None:
    pod = asking("web")
    message, notes = eviction_message("pids", pod, used(pod, pids=99), DUE, SEEN)
    assert message == "The node was low on resource: pids. Threshold quantity: 5, available: 1. "
    assert notes["starved_resource"] == "pids"
    assert eviction_message("inodes", pod, None, DUE, SEEN) == ("The node was low on resource: inodes. ", {})
