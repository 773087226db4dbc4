"""What a runtime answers to each call, in the shape of CRI's messages: the way back from `Cri`'s records."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from fakes.cri_counts import container_stats, filesystems, sandbox_stats
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.applied import LinuxResources, Mounted
from pilothouse.kubelet.cri.interface import Container, Cri, CriUnimplemented, Image, Sandbox
from pilothouse.kubelet.cri.messages import enum_value
from pilothouse.kubelet.cri.signals import signal_number

_POD_UID = "io.kubernetes.pod.uid"


def literal(message: Any) -> JsonObject:
    """A message as the literal it was made from: what is not set is not there."""
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is None:
        return list(value) if field.is_repeated else value
    if field.message_type.GetOptions().map_entry:
        return dict(value)
    return [literal(each) for each in value] if field.is_repeated else literal(value)


async def _version(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.version()
    return {"version": "0.1.0", "runtime_name": found.name, "runtime_version": found.version,
            "runtime_api_version": found.api_version}  # fmt: skip


async def _status(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.status()
    conditions = [
        {"type": one.type, "status": one.status, "reason": one.reason, "message": one.message}
        for one in found.conditions
    ]
    handlers = [
        {"name": one.name, "features": {"recursive_read_only_mounts": one.recursive_read_only,
                                        "user_namespaces": one.user_namespaces}}
        for one in found.handlers
    ]  # fmt: skip
    answer = {"status": {"conditions": conditions}, "runtime_handlers": handlers}
    return answer if found.features is None else {**answer, "features": asdict(found.features)}


async def _run_sandbox(cri: Cri, request: JsonObject) -> JsonObject:
    return {"pod_sandbox_id": await cri.run_sandbox(_whole(request["config"]), request.get("runtime_handler", ""))}


def _whole(config: Mapping[str, Any]) -> JsonObject:
    """A configuration with what `FakeCri` looks for, though it be empty and therefore not sent."""
    namespaces = config.get("linux", {}).get("security_context", {}).get("namespace_options", {})
    return {
        "labels": {}, "annotations": {}, "log_path": "", "log_directory": "", **config,
        "metadata": {"attempt": 0, **config["metadata"]},
        "linux": {"security_context": {"namespace_options": {"network": 0, **namespaces}}, **_resources(config)},
    }  # fmt: skip


def _resources(config: Mapping[str, Any]) -> JsonObject:
    found = config.get("linux", {}).get("resources")
    return {} if found is None else {"resources": found}


async def _stop_sandbox(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.stop_sandbox(request["pod_sandbox_id"])
    return {}


async def _remove_sandbox(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.remove_sandbox(request["pod_sandbox_id"])
    return {}


async def _sandbox_status(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.sandbox_status(request["pod_sandbox_id"])
    first, *more = found.ips or ("",)
    network = enum_value("NamespaceMode", "NODE" if found.host_network else "POD")
    return {
        "status": {
            **_sandbox(found),
            "network": {"ip": first, "additional_ips": [{"ip": ip} for ip in more]},
            "linux": {"namespaces": {"options": {"network": network}}},
        }
    }


async def _sandboxes(cri: Cri, request: JsonObject) -> JsonObject:
    return {"items": [_sandbox(one) for one in await cri.sandboxes(_pod(request))]}


def _sandbox(found: Sandbox) -> JsonObject:
    state = enum_value("PodSandboxState", "SANDBOX_READY" if found.ready else "SANDBOX_NOTREADY")
    metadata = {"name": found.name, "namespace": found.namespace, "uid": found.uid, "attempt": found.attempt}
    return {"id": found.id, "metadata": metadata, "state": state, "created_at": _nanos(found.created_at),
            "labels": dict(found.labels), "annotations": dict(found.annotations),
            "runtime_handler": found.handler}  # fmt: skip


def _pod(request: JsonObject) -> str:
    uid: str = request.get("filter", {}).get("label_selector", {}).get(_POD_UID, "")
    return uid


def _nanos(seconds: float) -> int:
    return round(seconds * 1e9)


async def _create_container(cri: Cri, request: JsonObject) -> JsonObject:
    config, sandbox_config = _whole(request["config"]), _whole(request["sandbox_config"])
    return {"container_id": await cri.create_container(request["pod_sandbox_id"], config, sandbox_config)}


async def _start_container(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.start_container(request["container_id"])
    return {}


async def _stop_container(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.stop_container(request["container_id"], request.get("timeout", 0))
    return {}


async def _remove_container(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.remove_container(request["container_id"])
    return {}


async def _containers(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.containers(_pod(request))
    return {"containers": [{**_container(one), "pod_sandbox_id": one.sandbox_id} for one in found]}


def _container(found: Container) -> JsonObject:
    return {
        "id": found.id, "metadata": {"name": found.name, "attempt": found.attempt}, "state": found.state.value,
        "created_at": _nanos(found.created_at), "image": {"image": found.image or found.image_ref},
        "image_ref": found.image_ref, "image_id": found.image_id, "labels": dict(found.labels),
        "annotations": dict(found.annotations),
    }  # fmt: skip


async def _container_status(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.container_status(request["container_id"])
    status: JsonObject = {
        **_container(found), "started_at": _nanos(found.started_at), "finished_at": _nanos(found.finished_at),
        "exit_code": found.exit_code, "reason": found.reason, "message": found.message, "log_path": found.log_path,
        "mounts": [_mount(one) for one in found.mounts],
        "stop_signal": signal_number(found.stop_signal) if found.stop_signal else 0,
    }  # fmt: skip
    if found.resources is not None:
        status["resources"] = {"linux": _limits(found.resources)}
    if found.user is not None:
        user = found.user
        status["user"] = {"linux": {"uid": user.uid, "gid": user.gid, "supplemental_groups": list(user.groups)}}
    return {"status": status}


def _mount(found: Mounted) -> JsonObject:
    mount = asdict(found)
    image = {"image": mount.pop("image"), "image_ref": mount.pop("image_ref")}
    return {**mount, "image": image}


def _limits(found: LinuxResources) -> JsonObject:
    limits = asdict(found)
    pages = limits.pop("hugepages").items()
    return {**limits, "hugepage_limits": [{"page_size": size, "limit": limit} for size, limit in pages]}


async def _update_resources(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.update_resources(request["container_id"], request["linux"])
    return {}


async def _update_sandbox(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.update_sandbox_resources(request["pod_sandbox_id"], request["overhead"], request["resources"])
    return {}


async def _checkpoint(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.checkpoint(request["container_id"], request["location"], request["timeout"])
    return {}


async def _container_stats(cri: Cri, request: JsonObject) -> JsonObject:
    return {"stats": [container_stats(one) for one in await cri.container_stats(_pod(request))]}


async def _sandbox_stats(cri: Cri, request: JsonObject) -> JsonObject:
    return {"stats": sandbox_stats(await cri.sandbox_stats(request["pod_sandbox_id"]))}


async def _image_filesystems(cri: Cri, request: JsonObject) -> JsonObject:
    return filesystems(await cri.image_filesystems())


async def _runtime_config(cri: Cri, request: JsonObject) -> JsonObject:
    driver = await cri.runtime_config()
    if driver is None:
        raise CriUnimplemented("UNIMPLEMENTED", "unknown method RuntimeConfig for service runtime.v1.RuntimeService")
    return {"linux": {"cgroup_driver": driver.value}}


async def _exec_sync(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.exec_sync(request["container_id"], request["cmd"], request.get("timeout", 0))
    return {"exit_code": found.exit_code, "stdout": found.stdout, "stderr": found.stderr}


def _streams(request: JsonObject) -> dict[str, bool]:
    return {name: request.get(name, False) for name in ("stdin", "stdout", "stderr", "tty")}


async def _exec(cri: Cri, request: JsonObject) -> JsonObject:
    return {"url": await cri.exec_url(request["container_id"], request["cmd"], **_streams(request))}


async def _attach(cri: Cri, request: JsonObject) -> JsonObject:
    return {"url": await cri.attach_url(request["container_id"], **_streams(request))}


async def _port_forward(cri: Cri, request: JsonObject) -> JsonObject:
    return {"url": await cri.port_forward_url(request["pod_sandbox_id"], request["port"])}


async def _reopen_log(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.reopen_log(request["container_id"])
    return {}


async def _images(cri: Cri, request: JsonObject) -> JsonObject:
    return {"images": [_image(one) for one in await cri.images()]}


def _image(found: Image) -> JsonObject:
    image: JsonObject = {"id": found.id, "repo_tags": found.tags, "repo_digests": found.digests, "size": found.size,
                         "username": found.username, "pinned": found.pinned}  # fmt: skip
    return image if found.uid is None else {**image, "uid": {"value": found.uid}}


async def _image_status(cri: Cri, request: JsonObject) -> JsonObject:
    found = await cri.image_status(request["image"]["image"])
    return {} if found is None else {"image": _image(found)}


async def _pull_image(cri: Cri, request: JsonObject) -> JsonObject:
    made = await cri.pull_image(request["image"]["image"], request.get("auth"), request.get("sandbox_config", {}))
    return {"image_ref": made}


async def _remove_image(cri: Cri, request: JsonObject) -> JsonObject:
    await cri.remove_image(request["image"]["image"])
    return {}


ANSWERS: dict[str, Callable[[Cri, JsonObject], Awaitable[JsonObject]]] = {
    "Version": _version,
    "Status": _status,
    "RunPodSandbox": _run_sandbox,
    "StopPodSandbox": _stop_sandbox,
    "RemovePodSandbox": _remove_sandbox,
    "PodSandboxStatus": _sandbox_status,
    "ListPodSandbox": _sandboxes,
    "CreateContainer": _create_container,
    "StartContainer": _start_container,
    "StopContainer": _stop_container,
    "RemoveContainer": _remove_container,
    "ListContainers": _containers,
    "ContainerStatus": _container_status,
    "UpdateContainerResources": _update_resources,
    "UpdatePodSandboxResources": _update_sandbox,
    "CheckpointContainer": _checkpoint,
    "ListContainerStats": _container_stats,
    "PodSandboxStats": _sandbox_stats,
    "RuntimeConfig": _runtime_config,
    "ImageFsInfo": _image_filesystems,
    "ExecSync": _exec_sync,
    "Exec": _exec,
    "Attach": _attach,
    "PortForward": _port_forward,
    "ReopenContainerLog": _reopen_log,
    "ListImages": _images,
    "ImageStatus": _image_status,
    "PullImage": _pull_image,
    "RemoveImage": _remove_image,
}
"""By CRI's names of the calls."""
