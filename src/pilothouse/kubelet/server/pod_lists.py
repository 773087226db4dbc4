"""/pods, which the kubelet is to run, and /runningpods/, what the runtime says runs; each as a PodList.

Source: pkg/kubelet/server/server.go; ToAPIPod of pkg/kubelet/container.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriError
from pilothouse.kubelet.server.known_pods import Pods
from pilothouse.kubelet.server.text import Refused
from pilothouse.net.http import Response


def wanted_pods(pods: Pods) -> Response:
    """The pods of this node with the statuses that the kubelet knows."""
    return _list({"kind": "Pod", "apiVersion": "v1", **pod.raw} for pod in pods())


async def running_pods(cri: Cri) -> Response:
    """A bare pod for every sandbox with something that runs. Raises Refused."""
    try:
        sandboxes = await cri.sandboxes()
        containers = [one for one in await cri.containers() if one.state is ContainerState.RUNNING]
    except CriError as error:
        raise Refused(500, str(error)) from error
    found: dict[str, JsonObject] = {}
    for box in sandboxes:
        inside = [one for one in containers if one.sandbox_id == box.id]
        if not box.ready and not inside:
            continue
        meta = {"name": box.name, "namespace": box.namespace, "uid": box.uid}
        pod = found.setdefault(box.uid, {"metadata": meta, "spec": {"containers": []}, "status": {}})
        pod["spec"]["containers"] += [_container(one) for one in inside]
    return _list(found.values())


def _container(run: Container) -> JsonObject:
    return {"name": run.name, "image": run.image_ref or run.image, "resources": {}}


def _list(items: Iterable[Mapping[str, Any]]) -> Response:
    return Response(200, orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": list(items)}))
