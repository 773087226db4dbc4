"""What a driver is given to know of secrets and of the pod: contents of Secrets, tokens of the service account."""

import base64
import json

from pilothouse.kubelet.api import Objects
from pilothouse.kubelet.csi.csi_volume import TOKENS, CsiVolume, Secret
from pilothouse.kubelet.csi.wishes import Wishes
from pilothouse.kubelet.volume import Surroundings, VolumeError
from pilothouse.runtime.clock import format_time


async def secret_values(reference: Secret | None, objects: Objects, what: str) -> dict[str, str]:
    """A Secret's content; `what` is what messages call the reference. Raises VolumeError, StatusError."""
    if reference is None:
        return {}
    namespace, name = reference
    secret = await objects.secret(namespace, name)
    if secret is None:
        raise VolumeError(f'fetching {what} {namespace}/{name} failed: secrets "{name}" not found')
    # Drivers get text: what is none cannot be sent.
    return {
        key: base64.b64decode(value).decode(errors="replace") for key, value in (secret.raw.get("data") or {}).items()
    }


async def publish_facts(
    volume: CsiVolume, wishes: Wishes, around: Surroundings
) -> tuple[dict[str, str], dict[str, str]]:
    """The volume's attributes and secrets as the driver gets them. Raises VolumeError, StatusError."""
    attributes = dict(volume.attributes)
    secrets = await secret_values(volume.publish_secret, around.objects, "NodePublishSecretRef")
    if wishes.pod_info:
        attributes |= volume.pod_info(around.pod)
    if wishes.tokens:
        (secrets if wishes.tokens_in_secrets else attributes)[TOKENS] = await _tokens(wishes, around)
    return attributes, secrets


async def _tokens(wishes: Wishes, around: Surroundings) -> str:
    found = {}
    for audience, seconds in wishes.tokens:
        token = await around.tokens.dated(around.pod, audience, seconds)
        found[audience] = {"token": token.text, "expirationTimestamp": format_time(token.ends_at)}
    return json.dumps(found, separators=(",", ":"), sort_keys=True)
