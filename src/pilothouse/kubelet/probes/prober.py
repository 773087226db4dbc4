"""`Probes`: the kubelet's prober. Keeps the probes of all containers that run, and says what they have found.

The worker of a pod has it look at the pod whenever it looks itself; from then on verdicts change on their own and
the worker is called. Read `tally` for what counts, `run_probes` for when, `handlers/` for how.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import is_sidecar
from pilothouse.kubelet.cri.interface import ContainerState, Cri
from pilothouse.kubelet.hooks import Fetch
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.kubelet.probes.attempts import Attempts
from pilothouse.kubelet.probes.handler import Handler, Means
from pilothouse.kubelet.probes.run_probes import RunProbes, Scene
from pilothouse.kubelet.probes.tally import Kind
from pilothouse.kubelet.status import pod_ips
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.units import subclasses


class Probes:
    """`Prober` by tasks. `host_ips` are the node's: pods on its network are probed there."""

    def __init__(
        self, cri: Cri, clock: Clock, chance: Chance, recorder: Recorder, fetch: Fetch, tasks: Tasks,
        host_ips: Sequence[str] = (), metrics: Metrics | None = None,
    ) -> None:  # fmt: skip
        means = Means(cri, clock, fetch)
        handlers = [handler(means) for handler in subclasses(Handler, "pilothouse.kubelet.probes.handlers")]
        self._attempts = Attempts(handlers, recorder, clock, metrics or Metrics())
        self._clock = clock
        self._chance = chance
        self._tasks = tasks
        self._host_ips = host_ips
        self._born = clock.now()
        self._pods: dict[str, dict[str, RunProbes]] = {}

    def attend(self, pod: Pod, observed: ObservedPod, changed: Callable[[], None]) -> None:
        """Probe what runs now and nothing else, and call `changed` at each new verdict."""
        known = self._pods.setdefault(pod.metadata.uid, {})
        address = next(iter(pod_ips(pod, observed, self._host_ips)), "")
        running = {}
        for container in _probed(pod):
            run = observed.active(container.name)
            if run is None or run.state is not ContainerState.RUNNING:
                continue
            scene = Scene(pod, container, address, changed)
            probes = known.pop(run.id, None)
            if probes is None:
                probes = RunProbes(run, scene, self._attempts, self._clock, self._chance, self._tasks, self._born)
            probes.look(scene)
            running[run.id] = probes
        _stop(known)
        self._pods[pod.metadata.uid] = running

    def health(self, uid: str) -> Mapping[str, Health]:
        """What the probes say of a pod's containers, by container id."""
        return {container_id: probes.health for container_id, probes in self._pods.get(uid, {}).items()}

    def retire(self, uid: str, changed: Callable[[], None]) -> None:
        """The pod is being ended: go on with readiness alone, and call `changed` at each new verdict."""
        for probes in self._pods.get(uid, {}).values():
            probes.retire(changed)

    def forget(self, uid: str) -> None:
        """Probe no more."""
        _stop(self._pods.pop(uid, {}))
        self._attempts.forget(uid)


def _stop(probes: Mapping[str, RunProbes]) -> None:
    for one in probes.values():
        one.stop()


def _probed(pod: Pod) -> Iterator[Container]:
    """Containers that have probes. Those of init containers that come to an end do not count."""
    every = (*filter(is_sidecar, pod.spec.initContainers), *pod.spec.containers)
    return (container for container in every if any(kind.of(container) for kind in Kind))
