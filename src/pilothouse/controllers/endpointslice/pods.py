"""Pods behind a Service: which it selects, which of them have an address to publish, and which changes matter.

A Service without a selector selects nothing. Matching compares maps and builds no selector, for it is done for every
Service of a namespace whenever one of its pods changes. Upstream: staging/src/k8s.io/endpointslice/util.
"""

from collections.abc import Sequence

from pilothouse.api.types.core_v1 import Pod, Service, ServicePort
from pilothouse.client.informer import Lister
from pilothouse.client.key import Key
from pilothouse.reconcile.pods import condition_of, is_ready
from pilothouse.runtime.clock import Instant

_ENDED = ("Succeeded", "Failed")


def pods_of(service: Service, pods: Lister[Pod]) -> list[Pod]:
    """The pods that a Service selects."""
    selector = service.spec.selector.items()
    if not selector:
        return []
    return [pod for pod in pods.list(service.metadata.namespace) if selector <= pod.metadata.labels.items()]


def services_of(pod: Pod, services: Lister[Service]) -> list[Key]:
    """The Services that select a pod."""
    labels = pod.metadata.labels.items()
    found = services.list(pod.metadata.namespace)
    return [Key.of(one) for one in found if one.spec.selector and one.spec.selector.items() <= labels]


def affected(old: Pod | None, new: Pod | None, services: Lister[Service]) -> list[Key]:
    """The Services whose endpoints a change of a pod may alter."""
    if old is None or new is None:
        pod = new if new is not None else old
        return services_of(pod, services) if pod is not None else []
    changed = _published(old) != _published(new)
    if old.metadata.labels == new.metadata.labels:
        return services_of(new, services) if changed else []
    before, after = services_of(old, services), services_of(new, services)
    if changed:
        return [*dict.fromkeys([*before, *after])]
    return [key for key in [*before, *after] if (key in before) != (key in after)]


def _published(pod: Pod) -> tuple[object, ...]:
    """All of a pod that its endpoints show, and that may change."""
    return (
        pod.metadata.deletionTimestamp is None,
        pod.status.phase in _ENDED,
        is_ready(pod),
        addresses_of(pod),
        pod.spec.nodeName,
        pod.spec.hostname,
        pod.spec.subdomain,
    )


def addresses_of(pod: Pod) -> tuple[str, ...]:
    """The addresses of a pod, at most one of each family."""
    if pod.status.podIPs:
        return tuple([address.ip for address in pod.status.podIPs])
    return (pod.status.podIP,) if pod.status.podIP else ()


def has_endpoints(pod: Pod, *, terminating: bool) -> bool:
    """Whether a pod is to be published. One that has been told to end is if `terminating` says so."""
    if pod.status.phase in _ENDED or not addresses_of(pod):
        return False
    return terminating or pod.metadata.deletionTimestamp is None


def target_port(pod: Pod, port: ServicePort) -> int | None:
    """The number at which a pod answers for a port of a Service; None where it has no port of the name."""
    target = port.targetPort
    if not isinstance(target, str):
        return target or port.port
    sidecars = [one for one in pod.spec.initContainers if one.restartPolicy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for offered in container.ports:
            if offered.name == target and (offered.protocol or "TCP") == (port.protocol or "TCP"):
                return offered.containerPort
    return None


def hostname_of(pod: Pod, service: Service) -> str:
    """The name by which DNS knows the pod below the name of the Service; empty where it has none."""
    return pod.spec.hostname if pod.spec.subdomain == service.metadata.name else ""


def is_headless(service: Service) -> bool:
    """Whether it has no address of its own."""
    return service.spec.clusterIP in ("", "None")


def is_published(service: Service) -> bool:
    """Whether controllers write its endpoints; else somebody else does, or nobody."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


class TriggerTimes:
    """When what is published now became true, so that observers can tell how long publishing took."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[Instant, dict[str, Instant]]] = {}

    def since(self, service: Service, pods: Sequence[Pod]) -> Instant | None:
        """The earliest of the changes since this was last asked; None where nothing changed."""
        key = Key.of(service)
        created = service.metadata.creationTimestamp or 0.0
        ready = {pod.metadata.name: at for pod in pods if (at := condition_of(pod, "Ready").lastTransitionTime)}
        before = self._seen.get(key)
        self._seen[key] = (created, ready)
        if before is None:
            return created or None
        changed = [at for name, at in ready.items() if at > before[1].get(name, 0.0)]
        if created > before[0]:
            changed.append(created)
        return min(changed, default=None)

    def forget(self, key: Key) -> None:
        """The Service is gone."""
        self._seen.pop(key, None)
