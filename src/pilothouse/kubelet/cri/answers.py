"""From a runtime's answers to records: what an answer must hold is checked here, and its absence is told.

The messages are upstream's (staging/src/k8s.io/cri-client/pkg/utils.go), as they end up in pods' statuses and events.
"""

from collections.abc import Iterable
from typing import Any

from pilothouse.kubelet.cri.applied import LinuxResources, Mounted
from pilothouse.kubelet.cri.features import CgroupDriver, Features, Handler
from pilothouse.kubelet.cri.interface import (
    Container,
    ContainerState,
    CriNonsense,
    Image,
    LinuxUser,
    RuntimeCondition,
    RuntimeStatus,
    Sandbox,
    Version,
)
from pilothouse.kubelet.cri.messages import enum_value
from pilothouse.kubelet.cri.signals import signal_name

_NODE = enum_value("NamespaceMode", "NODE")
_READY = enum_value("PodSandboxState", "SANDBOX_READY")
_DRIVERS = {driver.value: driver for driver in CgroupDriver}
_STATES = {state.value: state for state in ContainerState}


def given(value: str, complaint: str) -> str:
    """A text that must be there. Raises CriNonsense."""
    if not value:
        raise CriNonsense(complaint)
    return value


def version(answer: Any) -> Version:
    """Who the runtime is."""
    needed = {"Version": answer.version, "RuntimeName": answer.runtime_name,
              "RuntimeApiVersion": answer.runtime_api_version, "RuntimeVersion": answer.runtime_version}  # fmt: skip
    if missing := [name for name, value in needed.items() if not value]:
        raise CriNonsense(f"not all fields are set in VersionResponse (missing {', '.join(missing)})")
    return Version(answer.runtime_name, answer.runtime_version, answer.runtime_api_version)


def runtime_status(answer: Any) -> RuntimeStatus:
    """How the runtime is."""
    conditions = tuple(RuntimeCondition(c.type, c.status, c.reason, c.message) for c in answer.status.conditions)
    if len(conditions) < 2:
        raise CriNonsense("RuntimeReady or NetworkReady condition are not set")
    handlers = tuple(
        Handler(one.name, one.features.recursive_read_only_mounts, one.features.user_namespaces)
        for one in answer.runtime_handlers
    )
    told = answer.features
    features = Features(told.supplemental_groups_policy, told.user_namespaces_host_network)
    return RuntimeStatus(conditions, handlers, features if answer.HasField("features") else None)


def cgroup_driver(answer: Any) -> CgroupDriver | None:
    """Who makes the control groups."""
    return _DRIVERS.get(answer.linux.cgroup_driver) if answer.HasField("linux") else None


def is_ready(item: Any) -> bool:
    """Whether a sandbox is."""
    return bool(item.state == _READY)


def state(item: Any) -> ContainerState:
    """Of a container."""
    return _STATES.get(item.state, ContainerState.UNKNOWN)


def listed(items: Iterable[Any], call: str, *, of_one: bool) -> Iterable[Any]:
    """The sandboxes or containers of a listing, each once. What has no name is passed over, for it is nobody's.

    Raises CriNonsense if it is `of_one` pod's: then it is not known what this pod has.
    """
    found: dict[str, Any] = {}
    for item in items:
        if item.id and item.HasField("metadata"):
            found[item.id] = item
        elif of_one:
            raise CriNonsense(f"the runtime's answer to {call} tells of something that has no id, or no metadata")
    return found.values()


def sandbox(item: Any, ips: tuple[str, ...] = (), *, host_network: bool = False) -> Sandbox:
    """One of a listing."""
    meta = item.metadata
    return Sandbox(
        item.id, meta.name, meta.namespace, meta.uid, meta.attempt, is_ready(item), item.created_at / 1e9, ips,
        host_network, dict(item.labels), dict(item.annotations), item.runtime_handler,
    )  # fmt: skip


def sandbox_status(status: Any) -> Sandbox:
    """One in full, with its addresses."""
    _check_status(status)
    meta = status.metadata
    if not (meta.name and meta.namespace and meta.uid):
        raise CriNonsense(f'metadata.Name, metadata.Namespace or metadata.Uid is not in metadata "{_told(meta)}"')
    _check_created(status)
    ips = (status.network.ip, *(extra.ip for extra in status.network.additional_ips))
    host_network = status.linux.namespaces.options.network == _NODE
    return sandbox(status, tuple(ip for ip in ips if ip), host_network=host_network)


def container(item: Any, sandbox_id: str = "", **more: Any) -> Container:
    """One of a listing."""
    return Container(
        id=item.id, sandbox_id=sandbox_id, name=item.metadata.name, attempt=item.metadata.attempt,
        state=state(item), created_at=item.created_at / 1e9,
        image=item.image.image, image_ref=item.image_ref, image_id=item.image_id, labels=dict(item.labels),
        annotations=dict(item.annotations), **more,
    )  # fmt: skip


def container_status(status: Any) -> Container:
    """One in full."""
    _check_status(status)
    if not status.metadata.name:
        raise CriNonsense(f'metadata.Name is not in metadata "{_told(status.metadata)}"')
    _check_created(status)
    given(status.image.image, "status.Image is not set")
    given(status.image_ref, "status.ImageRef is not set")
    return container(
        status, started_at=status.started_at / 1e9, finished_at=status.finished_at / 1e9,
        exit_code=status.exit_code, reason=status.reason, message=status.message, log_path=status.log_path,
        user=_user(status), resources=_resources(status), mounts=tuple(_mounted(mount) for mount in status.mounts),
        stop_signal=signal_name(status.stop_signal),
    )  # fmt: skip


def _check_status(status: Any) -> None:
    given(status.id, "status.Id is not set")
    if not status.HasField("metadata"):
        raise CriNonsense("status.Metadata is not set")


def _check_created(status: Any) -> None:
    if status.created_at == 0:
        raise CriNonsense("status.CreatedAt is not set")


def _told(message: Any) -> str:
    return " ".join(str(message).split())


def _user(status: Any) -> LinuxUser | None:
    if not status.HasField("user") or not status.user.HasField("linux"):
        return None
    user = status.user.linux
    return LinuxUser(user.uid, user.gid, tuple(user.supplemental_groups))


def _resources(status: Any) -> LinuxResources | None:
    if not status.resources.HasField("linux"):
        return None
    linux = status.resources.linux
    return LinuxResources(
        linux.cpu_period, linux.cpu_quota, linux.cpu_shares, linux.memory_limit_in_bytes,
        linux.memory_swap_limit_in_bytes, linux.oom_score_adj, linux.cpuset_cpus, linux.cpuset_mems,
        {limit.page_size: limit.limit for limit in linux.hugepage_limits}, dict(linux.unified),
    )  # fmt: skip


def _mounted(mount: Any) -> Mounted:
    return Mounted(
        mount.container_path, mount.host_path, mount.readonly, mount.recursive_read_only, mount.image.image,
        mount.image.image_ref,
    )  # fmt: skip


def image(item: Any) -> Image:
    """One of a listing."""
    return Image(
        item.id, tuple(item.repo_tags), tuple(item.repo_digests), item.size,
        item.uid.value if item.HasField("uid") else None, item.username, item.pinned,
    )  # fmt: skip


def image_status(answer: Any, name: str) -> Image | None:
    """The one called `name`, None when it is not here."""
    if not answer.HasField("image"):
        return None
    if not answer.image.id or not answer.image.size:
        raise CriNonsense(f'Id or size of image "{name}" is not set')
    return image(answer.image)
