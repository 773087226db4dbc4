"""The ServiceCIDR `kubernetes`: the range of cluster IPs that the server is configured with, as an object.

Made when the server starts and again when it is gone; one that says something else is left alone, but for a second
family that joins. It is ready as soon as it is there. Source: pkg/controlplane/controller/defaultservicecidr.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pilothouse.api.machinery.conditions import TRUE, find
from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.networking.service_cidr import DEFAULT, READY
from pilothouse.api.types.networking_v1 import ServiceCIDR
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.client.client import Client
from pilothouse.runtime.clock import Clock, format_time
from pilothouse.runtime.log import Log

MANAGER = "kubernetes-service-cidr-controller"
"""As whose its status is managed."""
_RETRY_SECONDS = 10.0

_log = Log(__name__)


async def keep_default_range(client: Client, cache: WatchCache, cidrs: Sequence[str], clock: Clock) -> None:
    """Keep the object for ever."""
    changed = asyncio.Event()
    cache.of("networking.k8s.io", "servicecidrs").observe(lambda _old, _new: changed.set())
    while True:
        await changed.wait()
        changed.clear()
        try:
            await ensure_default_range(client, cidrs, clock)
        except StatusError as error:
            _log.warning("The default ServiceCIDR is not kept up; trying again", err=str(error))
            await clock.sleep(_RETRY_SECONDS)
            changed.set()


async def ensure_default_range(client: Client, cidrs: Sequence[str], clock: Clock) -> None:
    """Make what is missing of it."""
    try:
        found = await client.get(ServiceCIDR, DEFAULT)
    except NotFound:
        with suppress(AlreadyExists):
            await client.create(ServiceCIDR, {"metadata": {"name": DEFAULT}, "spec": {"cidrs": [*cidrs]}})
        found = await client.get(ServiceCIDR, DEFAULT)
    there = list(found.spec.cidrs)
    if len(cidrs) > 1 and there == list(cidrs[:1]):
        found = await client.patch(ServiceCIDR, DEFAULT, "", {"spec": {"cidrs": [*cidrs]}})
    elif there != list(cidrs):
        _log.warning("The default ServiceCIDR is not what the server is configured with", found=there, wanted=[*cidrs])
        return
    if wants_ready(found.raw):
        ready = {
            "type": READY,
            "status": TRUE,
            "message": "Kubernetes default Service CIDR is ready",
            "lastTransitionTime": format_time(clock.now()),
        }
        manifest = {"metadata": {"name": DEFAULT}, "status": {"conditions": [ready]}}
        await client.apply(ServiceCIDR, manifest, manager=MANAGER, force=True, subresource="status")


def wants_ready(service_cidr: Mapping[str, Any]) -> bool:
    """Whether nobody has said yet how it is; who deletes it leaves that to the controller."""
    if service_cidr["metadata"].get("deletionTimestamp"):
        return False
    ready = find((service_cidr.get("status") or {}).get("conditions") or (), READY)
    return ready is None or ready.get("status") not in ("True", "False")
