"""Carries out the steps of a PodPlan, one call of the runtime after the other, and tells users of each.

What goes wrong with a container is a StartError, kept by the worker and shown in its status; what goes wrong with the
sandbox or the volumes is a PodError, which ends this round. Messages are upstream's.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet import pod_files
from pilothouse.kubelet.container_devices import container_devices
from pilothouse.kubelet.container_mounts import container_mounts
from pilothouse.kubelet.containers import field_path, find, target_name
from pilothouse.kubelet.cri.interface import CriError, Sandbox
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.environment import (
    ConfigError,
    Facts,
    Referred,
    environment,
    files_referred,
    names_referred,
    service_variables,
)
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.images.image_volumes import ImageVolumes
from pilothouse.kubelet.images.pull import StartError
from pilothouse.kubelet.log_links import LogLinks
from pilothouse.kubelet.names_and_dns import NameTooLong, Resolver, fitted, resolver_of
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.pod_plan import Start
from pilothouse.kubelet.pod_volumes import LATE, PATIENCE
from pilothouse.kubelet.recursive_read_only import wanted
from pilothouse.kubelet.runtime_config import Mount, container_config, sandbox_config
from pilothouse.kubelet.security import PolicyBroken
from pilothouse.kubelet.userns import UserRanges, require_support
from pilothouse.kubelet.volume import HostVolumes, VolumeError
from pilothouse.kubelet.volume_groups import with_groups

RETRY = 10.0
"""Seconds until a start that failed for another reason than a pull is tried again."""


class PodError(Exception):
    """The pod as a whole cannot go on now."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PodSteps:
    """The steps of all pods; keeps nothing between calls."""

    def __init__(self, node: NodeServices) -> None:
        self._node = node
        self._users = UserRanges(node.facts.layout, node.facts.users)
        self._links = LogLinks(node.facts.layout.log_links)
        self._image_volumes = ImageVolumes(node.cri, node.images, node.facts.layout, node.mounter, node.image_mounts)

    async def prepare(self, pod: Pod, ips: Sequence[str]) -> HostVolumes:
        """Directories, cgroup and volumes; the volumes. Raises PodError."""
        node = self._node
        try:
            pod_files.make_directories(pod, node.facts)
        except OSError as error:
            message = f"error making pod data directories: {error}"
            raise PodError("FailedToMakePodDataDirectories", message) from error
        try:
            node.cgroups.create(pod)
        except OSError as error:
            raise PodError("FailedCreatePodContainer", f"unable to ensure pod container exists: {error}") from error
        return await self.volumes(pod, ips)

    async def volumes(self, pod: Pod, ips: Sequence[str]) -> HostVolumes:
        """All volumes, up to date. Raises PodError."""
        node = self._node
        try:
            return await node.volumes.set_up(pod, self.field_facts(ips))
        except (VolumeError, StatusError) as error:
            raise PodError("FailedMount", str(error)) from error

    def field_facts(self, ips: Sequence[str]) -> Facts:
        """What the downward API reads."""
        node = self._node
        return Facts(tuple(ips), tuple(node.host_ips), node.allocatable())

    def sandbox_message(self, pod: Pod, attempt: int) -> dict[str, object]:
        """The sandbox's configuration. Raises PolicyBroken."""
        node = self._node
        config = sandbox_config(pod, attempt, node.cgroups.parent(pod), self._resolver(pod)[0], node.facts)
        return self._with_users(pod, config)

    def _with_users(self, pod: Pod, config: JsonObject) -> JsonObject:
        """With users of the pod's own, where it is to have some. Raises PolicyBroken."""
        if pod.spec.hostUsers is not False:
            return config
        return self._users.of(pod.metadata.uid).added_to(config)

    def _resolver(self, pod: Pod) -> tuple[Resolver, Sequence[str]]:
        node = self._node
        return fitted(resolver_of(pod, node.resolver(), node.cluster_dns, node.facts.cluster_domain))

    async def prepare_claims(self, pod: Pod) -> None:
        """Have ready what the pod claims, before anything of it runs. Raises PodError."""
        if (resources := self._node.dynamic_resources) is None:
            return
        try:
            await resources.prepare(pod)
        except ClaimError as error:
            message = f"Failed to prepare dynamic resources: {error}"
            raise PodError("FailedPrepareDynamicResources", message) from error

    async def create_sandbox(self, pod: Pod, attempt: int) -> None:
        """Make the sandbox. Raises PodError."""
        if not pod.spec.hostNetwork and (problem := self._node.network_problem()):
            raise PodError("NetworkNotReady", f"network is not ready: {problem}")
        for complaint in self._resolver(pod)[1]:
            self._node.recorder.event(reference(pod), "Warning", "DNSConfigForming", complaint)
        counts, own_users = self._node.counts, pod.spec.hostUsers is False
        counts.sandboxes.inc()
        if own_users:
            counts.user_sandboxes.inc()
        try:
            handler = await self._handler(pod)
            if own_users:
                require_support(await self._node.cri.status(), handler)
            await self._node.cri.run_sandbox(self.sandbox_message(pod, attempt), handler)
        except (CriError, NameTooLong, OSError, PolicyBroken, StatusError) as error:
            counts.sandbox_errors.inc()
            if own_users:
                counts.user_sandbox_errors.inc()
            raise PodError("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}") from error

    async def _handler(self, pod: Pod) -> str:
        """The runtime's name for what the pod's RuntimeClass asks for. Raises StatusError."""
        name = pod.spec.runtimeClassName
        return (await self._node.objects.runtime_class(name)).handler if name else ""

    async def start(self, pod: Pod, step: Start, sandbox: Sandbox, volumes: HostVolumes) -> str:
        """Make one run of a container and start it; its id. Raises StartError."""
        container = find(pod, step.name)
        if container is None:
            raise StartError("CreateContainerConfigError", f"no container {step.name} in the spec")
        try:
            message = self.sandbox_message(pod, sandbox.attempt)
        except (PolicyBroken, OSError) as error:
            raise self._failed(pod, container, "CreateContainerConfigError", str(error)) from error
        volumes = {**volumes, **await self._image_volumes.of(pod, container, message)}
        image = await self._node.images.ensure(pod, container, message)
        ips = self._node.host_ips if pod.spec.hostNetwork else sandbox.ips
        try:
            if (target := target_name(pod, step.name)) and not step.target_id:
                raise ConfigError(f"unable to find target container {target}")
            given = await self._node.contributor.contribute(pod, container)
            pod_files.write_hosts(pod, ips, self._node.facts)
            variables = await self._environment(pod, container, ips, volumes)
            able = wanted(container.volumeMounts) and await self._recursive_read_only(sandbox)
            mounts = await self._mounts(pod, container, step.attempt, volumes, dict(variables), able=able)
            config = container_config(
                pod, container, step.attempt, image, variables, mounts, self._node.facts, target_id=step.target_id
            )
            config = with_groups(container_devices(container, volumes).added_to(config), volumes)
            config = self._with_users(pod, config)
        except (ConfigError, CriError, PolicyBroken, OSError, StatusError) as error:
            raise self._failed(pod, container, "CreateContainerConfigError", str(error)) from error
        try:
            made = await self._node.cri.create_container(sandbox.id, given.added_to(config), message)
        except CriError as error:
            raise self._failed(pod, container, "CreateContainerError", error.message) from error
        self._tell(pod, container, "Normal", "Created", "Container created")
        try:
            await self._node.cri.start_container(made)
        except CriError as error:
            raise self._failed(pod, container, "RunContainerError", error.message) from error
        self._tell(pod, container, "Normal", "Started", "Container started")
        self._links.make(config["labels"], made, self._node.facts.layout.log(pod, container.name, step.attempt))
        return made

    async def _recursive_read_only(self, sandbox: Sandbox) -> bool:
        """Whether the handler that runs the pod knows such mounts. Raises CriError."""
        return (await self._node.cri.status()).handler(sandbox.handler).recursive_read_only

    async def _mounts(
        self, pod: Pod, container: Container, attempt: int, volumes: HostVolumes, variables: Mapping[str, str], *,
        able: bool,
    ) -> list[Mount]:  # fmt: skip
        """A part of a volume has to be opened, which takes as long as a server that is gone likes it."""
        node = self._node
        make = partial(
            container_mounts, pod, container, attempt, volumes, variables, node.facts, node.mounter,
            recursive_read_only=able,
        )  # fmt: skip
        parts = any(mount.subPath or mount.subPathExpr for mount in container.volumeMounts)
        if not parts:
            return make()
        try:
            async with node.clock.timeout(PATIENCE):
                uid = pod.metadata.uid
                return await node.volumes.paths.look(("parts", uid, container.name, attempt), make, mounts_for=uid)
        except TimeoutError:
            raise ConfigError(f'failed to prepare subPath for container "{container.name}": {LATE}') from None

    def _failed(self, pod: Pod, container: Container, reason: str, message: str) -> StartError:
        self._tell(pod, container, "Warning", "Failed", f"Error: {message}")
        return StartError(reason, message, self._node.clock.now() + RETRY)

    def _tell(self, pod: Pod, container: Container, kind: str, reason: str, message: str) -> None:
        self._node.recorder.event(reference(pod, field_path(pod, container.name)), kind, reason, message)

    async def _environment(
        self, pod: Pod, container: Container, ips: Sequence[str], volumes: HostVolumes
    ) -> list[tuple[str, str]]:
        node, namespace = self._node, pod.metadata.namespace
        config_maps, secrets = names_referred(container)
        referred = Referred(
            {name: await node.objects.config_map(namespace, name) for name in sorted(config_maps)},
            {name: await node.objects.secret(namespace, name) for name in sorted(secrets)},
            {
                (volume, path): pod_files.read_env_file(volumes.get(volume), path, node.mounter)
                for volume, path in sorted(files_referred(container))
            },
        )
        links = pod.spec.enableServiceLinks is not False
        services = service_variables(namespace, node.objects.services(), links=links)
        return environment(pod, container, referred, services, self.field_facts(ips))
