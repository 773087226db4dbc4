"""Short ways to say what a runtime reports of a pod, for tests of what is decided on it."""

from collections.abc import Mapping
from typing import Any

from kubelet.harness import pod as manifest
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import find, shape
from pilothouse.kubelet.cri.interface import Container, ContainerState, Sandbox
from pilothouse.kubelet.lifecycle import SHAPE_LABEL
from pilothouse.kubelet.observed import ObservedPod

NOW = 1_000_000.0
RUNNING, EXITED = ContainerState.RUNNING, ContainerState.EXITED


def pod(status: JsonObject | None = None, **spec: Any) -> Pod:
    """A pod as the API server tells of it; one container `app` unless the spec says otherwise."""
    return Pod(manifest(**spec) | {"status": status or {}})


def containers(*names: str, **fields: Any) -> list[JsonObject]:
    """Containers of these names, all with the same fields."""
    return [{"name": name, "image": "app:1", **fields} for name in names]


def sidecar(name: str = "side", **fields: Any) -> JsonObject:
    """An init container that always restarts."""
    return {"name": name, "image": "app:1", "restartPolicy": "Always", **fields}


def box(attempt: int = 0, **fields: Any) -> Sandbox:
    """A sandbox called `s` and its number, ready and with an address."""
    given: dict[str, Any] = {"ready": True, "ips": ("10.88.0.2",), "created_at": NOW - 100 + attempt}
    return Sandbox(id=f"s{attempt}", name="web", namespace="default", uid="uid-web", attempt=attempt, **given | fields)


def ran(name: str, exit_code: int | None = None, attempt: int = 0, **fields: Any) -> Container:
    """One run of a container, called by its name and number; without an exit code it is running."""
    ended = exit_code is not None
    given: dict[str, Any] = {
        "sandbox_id": "s0", "state": EXITED if ended else RUNNING, "created_at": NOW - 50 + attempt,
        "started_at": NOW - 50 + attempt, "finished_at": NOW - 49 + attempt if ended else 0.0,
        "exit_code": exit_code or 0, "image": "docker.io/library/app:1", "image_ref": "app@sha256:1",
    }  # fmt: skip
    return Container(id=f"{name}-{attempt}", name=name, attempt=attempt, **given | fields)


def shaped(of: Pod, run: Container) -> Container:
    """The run, marked as made from this pod's spec."""
    container = find(of, run.name)
    assert container is not None
    return Container(**{**_fields(run), "annotations": {SHAPE_LABEL: shape(container)}})


def _fields(run: Container) -> Mapping[str, Any]:
    return {name: getattr(run, name) for name in Container.__dataclass_fields__}


def seen(*runs: Container, boxes: tuple[Sandbox, ...] | None = None, **known: Any) -> ObservedPod:
    """What is observed: the runs given oldest first, in one ready sandbox unless told otherwise."""
    newest_first = sorted(runs, key=lambda one: (one.created_at, one.attempt), reverse=True)
    return ObservedPod((box(),) if boxes is None else boxes, tuple(newest_first), **known)
