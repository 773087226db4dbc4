"""Nodes and pods for the tests of the scheduler."""

from typing import Any

from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo

GIB = 1024**3


def node(name: str = "n", *, cpu: str = "4", memory: str = "8Gi", pods: str = "10", labels: Any = None,
         images: Any = None, more: Any = None, **spec: Any) -> Node:  # fmt: skip
    offered = {"cpu": cpu, "memory": memory, "pods": pods, **(more or {})}
    listed = [{"names": [image], "sizeBytes": size} for image, size in (images or {}).items()]
    return Node({"metadata": {"name": name, "labels": labels or {}}, "spec": spec,
                 "status": {"allocatable": offered, "images": listed}})  # fmt: skip


def pod(name: str = "p", *, requests: Any = None, ports: Any = (), image: str = "example:1", on: str = "",
        labels: Any = None, status: Any = None, **spec: Any) -> Pod:  # fmt: skip
    container = {"name": "c", "image": image, "ports": list(ports), "resources": {"requests": requests or {}}}
    meta = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "labels": labels or {}}
    return Pod({"metadata": meta, "spec": {"containers": [container], "nodeName": on, **spec}, "status": status or {}})


def info(name: str = "p", **more: Any) -> PodInfo:
    return PodInfo.of(pod(name, **more))


def cluster(*views: Node, running: tuple[PodInfo, ...] = ()) -> Nodes:
    nodes = Nodes()
    for view in views:
        nodes.set_node(view)
    for one in running:
        nodes.set_pod(one)
    return nodes


def alone(view: Node, *running: PodInfo) -> NodeInfo:
    found = cluster(view, running=running).get(view.metadata.name)
    assert found is not None
    return found
