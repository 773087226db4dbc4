"""The chain: the enabled plugins in upstream's order; all mutate, then, once the object is whole, all validate."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.authorization.framework import Authorizer
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.units import subclasses


class AdmissionChain:
    """What the write pipeline calls."""

    def __init__(self, plugins: Iterable[Admission]) -> None:
        self.plugins = tuple(sorted(plugins, key=lambda plugin: plugin.order))
        self._mutating = [plugin for plugin in self.plugins if type(plugin).mutate is not Admission.mutate]
        self._validating = [plugin for plugin in self.plugins if type(plugin).validate is not Admission.validate]

    @classmethod
    def of(
        cls,
        served: Served,
        authorizer: Authorizer,
        clock: Clock,
        chance: Chance,
        *,
        enabled: Sequence[str] = (),
        disabled: Sequence[str] = (),
        configurations: Mapping[str, JsonObject] | None = None,
        metrics: Metrics | None = None,
    ) -> Self:
        """The plugins that are on by default, those `enabled` besides, none that is `disabled`.

        `configurations` are what AdmissionConfiguration says, by the plugin's name. Raises LookupError for a name that
        no plugin has, ValueError for a configuration that its plugin does not take.
        """
        found = {kind.name: kind for kind in subclasses(Admission, "pilothouse.apiserver.admission.plugins")}
        unknown = [name for name in (*enabled, *disabled) if name not in found]
        if unknown:
            raise LookupError(f"no admission plugin is called {', '.join(unknown)}; there are {', '.join(found)}")
        chosen = [
            kind
            for name, kind in found.items()
            if (kind.default or name in enabled) and (name not in disabled or name in enabled)
        ]
        plugins = [kind(served, authorizer, clock, chance) for kind in chosen]
        for plugin in plugins:
            plugin.configure((configurations or {}).get(plugin.name))
            if metrics is not None:
                plugin.measure(metrics)
        return cls(plugins)

    async def mutate(self, write: Write) -> None:
        """Let every plugin change the new object, or refuse; all once more where users' hooks have changed it."""
        write.rounds = None
        for plugin in self._mutating:
            await plugin.mutate(write)
        if write.rounds is not None and write.rounds.wanted:
            write.rounds.second = True
            for plugin in self._mutating:
                await plugin.mutate(write)

    async def validate(self, write: Write) -> None:
        """Let every plugin refuse."""
        for plugin in self._validating:
            await plugin.validate(write)
