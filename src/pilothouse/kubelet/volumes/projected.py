"""`projected`: ConfigMaps, Secrets, downward API and service account tokens in one directory.

This is how every pod gets its token at /var/run/secrets/kubernetes.io/serviceaccount. API page: "Projected Volumes".
"""

from pathlib import Path
from typing import ClassVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Pod, ServiceAccountTokenProjection, Volume, VolumeProjection
from pilothouse.kubelet.atomic_files import FileContent
from pilothouse.kubelet.containers import every
from pilothouse.kubelet.file_volume import DEFAULT_MODE, show_files
from pilothouse.kubelet.payloads import Payload, config_map_payload, downward_payload, secret_payload
from pilothouse.kubelet.tokens import DEFAULT_SECONDS
from pilothouse.kubelet.volume import Surroundings, VolumeError, VolumeType


class ProjectedVolume(VolumeType):
    """Several sources in one directory; of two files with one path the later wins."""

    field: ClassVar[str] = "projected"
    plugin: ClassVar[str] = "projected"

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have its files."""
        source = volume.projected
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        payload: Payload = {}
        for part in source.sources:
            payload |= await self._part(part, mode, around)
        return show_files(around, self.plugin, volume.name, payload, in_memory=True)

    async def _part(self, part: VolumeProjection, mode: int, around: Surroundings) -> Payload:
        namespace, objects = around.pod.metadata.namespace, around.objects
        if part.configMap:
            wanted = part.configMap
            config_map = await objects.config_map(namespace, wanted.name)
            return config_map_payload(config_map, wanted.name, wanted.items, mode, optional=bool(wanted.optional))
        if part.secret:
            chosen = part.secret
            secret = await objects.secret(namespace, chosen.name)
            return secret_payload(secret, chosen.name, chosen.items, mode, optional=bool(chosen.optional))
        if part.downwardAPI:
            return downward_payload(around.pod, part.downwardAPI.items, mode, around.facts)
        if part.serviceAccountToken:
            return await self._token(part.serviceAccountToken, mode, around)
        raise VolumeError(f"this node does not offer projections of {', '.join(part.raw)}")

    async def _token(self, wanted: ServiceAccountTokenProjection, mode: int, around: Surroundings) -> Payload:
        seconds = DEFAULT_SECONDS if wanted.expirationSeconds is None else wanted.expirationSeconds
        try:
            token = await around.tokens.get(around.pod, wanted.audience, seconds)
        except StatusError as error:
            raise VolumeError(f"failed to fetch token: {error.message}") from error
        user = _only_user(around.pod)
        if user is not None or around.pod.spec.securityContext.fsGroup is not None:
            mode = 0o600
        return {wanted.path: FileContent(token.encode(), mode, -1 if user is None else user)}


def _only_user(pod: Pod) -> int | None:
    """The user that all containers run as, where the spec says so: the token is then readable by it alone."""
    shared = pod.spec.securityContext.runAsUser
    users = {
        shared if container.securityContext.runAsUser is None else container.securityContext.runAsUser
        for container in every(pod)
    }
    return users.pop() if len(users) == 1 else None
