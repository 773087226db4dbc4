"""Short ways to resize a pod of a FakeNode, and to see how far that has come."""

from typing import Any

from kubelet.harness import FakeNode, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.applied import LinuxResources
from pilothouse.kubelet.cri.interface import ContainerState

PASSING = ("PodResizePending", "PodResizeInProgress")


def resources(cpu: str = "", memory: str = "", cpu_limit: str = "", memory_limit: str = "") -> JsonObject:
    """Requests, then limits; limits are only there where they are given."""
    requests = {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text}
    limits = {name: text for name, text in (("cpu", cpu_limit), ("memory", memory_limit)) if text}
    return {kind: listed for kind, listed in (("requests", requests), ("limits", limits)) if listed}


def sized(name: str = "web", spec: JsonObject | None = None, **containers: JsonObject) -> JsonObject:
    """A pod whose containers have these resources."""
    listed = [{"name": one, "image": "app:1", "resources": given} for one, given in containers.items()]
    return pod(name, **{"containers": listed, **(spec or {})})


async def started(node: FakeNode, manifest: JsonObject) -> None:
    """Add a pod, and see it run."""
    name = manifest["metadata"]["name"]
    node.add(manifest)
    await node.until(lambda: node.pods[name].status.phase == "Running")


def resize(node: FakeNode, name: str = "web", **containers: JsonObject) -> None:
    """Ask for other resources, as the API's subresource does."""
    raw = node.pods[name].literal()
    for container in (*raw["spec"]["containers"], *raw["spec"].get("initContainers", ())):
        container["resources"] = containers.get(container["name"], container.get("resources", {}))
    raw["metadata"]["generation"] += 1
    node.add(raw)


def conditions(node: FakeNode, name: str = "web") -> dict[str, tuple[str, str, int]]:
    """Reason, message and generation of those that tell of a resize."""
    told = node.pods[name].status.conditions
    return {one.type: (one.reason, one.message, one.observedGeneration or 0) for one in told if one.type in PASSING}


async def settled(node: FakeNode, name: str = "web", seconds: float = 600) -> None:
    """Wait until the change is over, and no condition speaks of it."""

    def done() -> bool:
        pod = node.pods[name]
        newest = pod.status.raw.get("observedGeneration") == pod.metadata.generation
        return newest and not conditions(node, name)

    await node.until(done, seconds)


async def in_force(node: FakeNode, container: str = "app", uid: str = "uid-web") -> LinuxResources:
    """What the runtime gives the container that runs."""
    (run,) = [one for one in await node.runtime.containers(uid)
              if one.name == container and one.state is ContainerState.RUNNING]  # fmt: skip
    told = (await node.runtime.container_status(run.id)).resources
    assert told is not None
    return told


def status_of(node: FakeNode, container: str = "app", name: str = "web") -> dict[str, Any]:
    """`resources` and `allocatedResources` of a container's status."""
    told = node.state(name, container)
    return {field: told.get(field) for field in ("resources", "allocatedResources")}


def events(node: FakeNode) -> list[str]:
    """Reasons of those that tell of a resize."""
    return [reason for reason in node.told.reasons() if reason.startswith("Resize")]
