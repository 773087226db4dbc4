"""What a container is given beside what its pod spells out: devices, processors of its own, and the like.

Whoever hands out a resource of the node, such as a device plugin, contributes to the configuration of each run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod

NO_QUOTA = -1
"""As the kernel has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Parts of a run's configuration, in the shape of CRI's messages."""

    devices: tuple[JsonObject, ...] = ()
    mounts: tuple[JsonObject, ...] = ()
    envs: Mapping[str, str] = field(default_factory=dict)
    """The pod's own variables of the same name win."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    cdi: tuple[str, ...] = ()
    """Names of devices by the Container Device Interface."""
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    unthrottled: bool = False
    """It has its processors for itself, and all of their time."""

    def added_to(self, config: JsonObject) -> JsonObject:
        """The configuration with this in it."""
        linux, sets = config["linux"], {"cpuset_cpus": self.cpuset_cpus, "cpuset_mems": self.cpuset_mems}
        resources = linux["resources"] | {name: value for name, value in sets.items() if value}
        if self.unthrottled:
            resources["cpu_quota"] = NO_QUOTA
        config = config | {
            "mounts": [*self.mounts, *config["mounts"]],
            "envs": [*({"key": key, "value": value} for key, value in self.envs.items()), *config["envs"]],
            "annotations": {**config["annotations"], **self.annotations},
            "linux": linux | {"resources": resources},
        }
        if self.devices:
            config["devices"] = [*config.get("devices", ()), *self.devices]
        if self.cdi:
            config["CDI_devices"] = [{"name": name} for name in self.cdi]
        return config


class Contributor(Protocol):
    """Knows what a container is given."""

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        """What the next run of a container gets. Raises ConfigError when it cannot have what it needs."""
        ...


class NothingMore:
    """Gives what the pod asks for, no more."""

    async def contribute(self, pod: Pod, container: Container) -> Contribution:  # noqa: ARG002 - the same for all
        """Nothing."""
        return Contribution()
