"""Pods that do something: run to their end and say what they printed, or stay and are asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.api import Api, Items, Json, Refused, eventually
from contract.images import AGNHOST
from contract.pods import START_SECONDS, phase, until_ready

LOG_SECONDS = 120
"""How long upstream's tests wait for a line in a log (framework.PodEventTimeout and the like are no longer)."""
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Ended:
    """A pod that has run to its end."""

    pod: Json
    """As it is then."""
    logs: Mapping[str, str]
    """What each container printed."""

    @property
    def phase(self) -> Any:
        """How it ended."""
        return phase(self.pod)

    @property
    def log(self) -> str:
        """What its only container printed."""
        (found,) = self.logs.values()
        return found

    @property
    def lines(self) -> list[str]:
        """The lines of that."""
        return self.log.splitlines()


class Workloads:
    """Pods in one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self.namespace = namespace
        self.pods = api.objects("v1", "Pod", namespace)

    def until(self, name: str, reached: Callable[[Json], Any], limit: int = START_SECONDS) -> Json:
        """The pod once something is true of it. Raises AssertionError after `limit` seconds."""

        def found(items: Items) -> Any:
            return name in items and reached(items[name])

        return self.pods.until(found, limit, field=f"metadata.name={name}")[name]

    def run(self, pod: Json) -> Ended:
        """Create a pod, wait for its end, and read its logs."""
        name = self.pods.create(pod)["metadata"]["name"]
        return self.ended(name)

    def ended(self, name: str, limit: int = START_SECONDS) -> Ended:
        """A pod that was created, once it is at its end."""
        found = self.until(name, lambda item: phase(item) in _ENDED, limit)
        containers = [each["name"] for each in found["spec"]["containers"]]
        return Ended(found, {each: self.log(name, each) for each in containers})

    def serve(self, pod: Json) -> Json:
        """Create a pod and wait until it is ready."""
        return until_ready(self.pods, self.pods.create(pod)["metadata"]["name"])

    def log(self, name: str, container: str = "", **query: Any) -> str:
        """What a container has printed so far."""
        chosen = {"container": container} if container else {}
        return self._api.send("GET", self.pods.path(name, "log"), query={**chosen, **query})

    def until_log(self, name: str, wanted: str, container: str = "", limit: int = LOG_SECONDS) -> str:
        """What a container has printed, once something is in it. Raises AssertionError after `limit` seconds."""
        found = ""

        def printed() -> bool:
            nonlocal found
            try:
                found = self.log(name, container)
            except Refused:
                return False  # it has not begun yet
            return wanted in found

        eventually(printed, limit, pause=0.1)
        return found

    def execute(self, name: str, *command: str, container: str = "") -> str:
        """What a command prints in a container, error output behind it; it must end with 0."""
        found = self._api.execute(self.namespace, name, command, container)
        assert found.code == 0, found
        return found.out + found.err

    def fetch(self, name: str, path: str, port: int | None = None) -> str:
        """What the web server of a pod answers, through the API server's proxy. Raises Refused."""
        target = name if port is None else f"{name}:{port}"
        return self._api.send("GET", f"{self.pods.path(target, 'proxy')}/{path.lstrip('/')}")


def container(
    arguments: Sequence[str] = (), *, name: str = "agnhost-container", image: str = AGNHOST, **more: Any
) -> Json:
    """A container, of agnhost unless another image is wanted."""
    return {"name": name, "image": image, **({"args": [*arguments]} if arguments else {}), **more}


def pod(name: str, *containers: Json, volumes: Sequence[Json] = (), metadata: Json | None = None, **spec: Any) -> Json:
    """A pod that is not started again when it has ended."""
    return {
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"restartPolicy": "Never", "containers": [*containers], "volumes": [*volumes], **spec},
    }
