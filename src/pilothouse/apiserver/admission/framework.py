"""Admission plugins: what may change or refuse a write after it is defaulted and before it is stored.

A plugin is one file in `admission/plugins`, with one subclass of Admission. All mutating hooks run first, in the order
of the names given to the server, then all validating ones. Source: "Admission Control in Kubernetes", reference docs.
"""

from abc import ABC
from typing import ClassVar

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics


class Admission(ABC):
    """One plugin. Hooks raise a StatusError to refuse, most often Forbidden in upstream's words."""

    name: ClassVar[str]
    """Upstream's name, as `--enable-admission-plugins` takes it."""
    default: ClassVar[bool] = True
    """Whether it runs unless disabled."""
    order: ClassVar[int]
    """Its place in upstream's fixed order of plugins."""

    def __init__(self, served: Served, authorizer: Authorizer, clock: Clock, chance: Chance) -> None:
        self.served = served
        self.cache = served.cache
        self.authorizer = authorizer
        self.clock = clock
        self.chance = chance

    def configure(self, configuration: JsonObject | None) -> None:
        """Take on what the admission configuration says of this plugin; None where it says nothing.

        Raises ValueError for what the plugin does not take.
        """
        if configuration is not None:
            raise ValueError(f"{self.name} takes no configuration")

    def measure(self, metrics: Metrics) -> None:
        """Count in these from now on."""

    async def mutate(self, write: Write) -> None:
        """Change `write.new`, or refuse. What is put in is complete: no defaults come after it, as none do upstream."""

    async def validate(self, write: Write) -> None:
        """Refuse, or accept by returning."""
