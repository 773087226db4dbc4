"""The controller manager's composition root: finds every controller below this package and runs them, if we lead.

Each writes as its own service account, so that a fault in one cannot do what another may; all read through shared
informers with the manager's own identity. Upstream: cmd/kube-controller-manager.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.client.client import Client
from pilothouse.client.leader_election import LeaderElector, Periods
from pilothouse.controllers.certificates.issuing import LONGEST
from pilothouse.controllers.certificates.signing import SigningController
from pilothouse.controllers.endpointslice import EndpointSliceController, EndpointSliceSettings
from pilothouse.controllers.node_ipam import NodeIpamController, NodeRanges
from pilothouse.controllers.node_lifecycle import NodeLifecycleController, NodeLifecycleSettings
from pilothouse.controllers.pod_gc import TERMINATED_THRESHOLD, PodGcController
from pilothouse.controllers.root_ca import RootCaController
from pilothouse.net.pki import KeyPair
from pilothouse.reconcile.controller import Controller, Tools
from pilothouse.reconcile.runner import ClientFactory, run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.units import subclasses

LEASE = "kube-controller-manager"


@dataclass(frozen=True, kw_only=True)
class ControllersConfig:
    """How the controller manager runs."""

    cluster_cidr: tuple[str, ...] = ("10.244.0.0/16",)
    """The networks that pods' addresses come from, at most one of each family; none leaves nodes without ranges."""
    node_cidr_mask_size: int = 24
    """The size of a node's IPv4 range."""
    node_cidr_mask_size_ipv6: int = 64
    """The size of a node's IPv6 range."""
    service_cidr: tuple[str, ...] = ("10.96.0.0/16",)
    """The networks of cluster IPs, which no node may get."""
    root_ca: str = ""
    """PEM of the authority by which pods know the API server; without it none is published."""
    signing: KeyPair | None = field(default=None, repr=False)
    """The authority that the cluster's own signers sign with; without it they sign nothing."""
    signing_duration: float = LONGEST
    """Seconds that what they sign lasts, unless less is asked for."""
    node_lifecycle: NodeLifecycleSettings = field(default_factory=NodeLifecycleSettings)
    """How long nodes may be silent, and how fast pods leave them."""
    endpoint_slices: EndpointSliceSettings = field(default_factory=EndpointSliceSettings)
    """How large slices of endpoints are, and how long changes of pods wait for each other."""
    terminated_pod_threshold: int = TERMINATED_THRESHOLD
    """How many pods that have ended are kept; 0 keeps all."""
    controllers: tuple[str, ...] = ("*",)
    """Names of controllers to run; `*` is all that are on by default, `-name` all but that one."""
    use_service_account_credentials: bool = True
    """Whether each controller acts as its own service account, or all as the manager."""
    leader_elect: bool = True
    """Whether to wait for the lease before working. Without it nobody else may run controllers."""
    leader_identity: str = ""
    """How we sign the lease; by default something unique."""
    leader_periods: Periods = field(default_factory=Periods)
    """How long leadership lasts unrenewed, and how often it is renewed."""


async def run(
    config: ControllersConfig,
    clients: Client | ClientFactory,
    clock: Clock,
    chance: Chance,
    ready: Callable[[], None] | None = None,
) -> None:
    """Run the controllers while we lead; until cancelled, or until LeadershipLost.

    `clients` gives the client of a service account in kube-system by its name, and the manager's own for the empty
    name: `client.account_tokens.AccountClients` over HTTPS. A single Client serves all. `ready` is called when we lead
    and have seen everything that is watched. Raises LookupError for an unknown name of a controller.
    """
    chosen = [kind for kind in selected(config.controllers, everyone()) if can_run(kind, config)]
    factory = _factory(config, clients)

    async def lead() -> None:
        async with Tasks() as tasks:
            running = run_all(chosen, factory, clock, chance, tasks, make=maker(config))
            for controller in running:
                await controller.synced()
            if ready is not None:
                ready()
            await asyncio.Event().wait()

    if not config.leader_elect:
        await lead()
        return
    identity = config.leader_identity or f"pilothouse_{chance.uid()}"
    elector = LeaderElector(factory(""), clock, chance, name=LEASE, identity=identity, periods=config.leader_periods)
    await elector.run(lead)


def everyone() -> list[type[Controller]]:
    """Every controller below this package."""
    return subclasses(Controller, __package__)  # type: ignore[type-abstract]


def can_run(kind: type[Controller], config: ControllersConfig) -> bool:
    """Whether the configuration has what it cannot do without."""
    needs: Mapping[type[Controller], object] = {
        RootCaController: config.root_ca,
        NodeIpamController: config.cluster_cidr,
        SigningController: config.signing,
    }
    return bool(needs.get(kind, True))


def selected(names: Sequence[str], kinds: Sequence[type[Controller]]) -> list[type[Controller]]:
    """Those of `kinds` that `names` ask for. Raises LookupError for names that nobody has."""
    known = {kind.name for kind in kinds}
    unknown = [name for name in names if name != "*" and name.removeprefix("-") not in known]
    if unknown:
        raise LookupError(f"no controller is called {', '.join(unknown)}")
    return [kind for kind in kinds if kind.name in names or ("*" in names and f"-{kind.name}" not in names)]


def maker(config: ControllersConfig) -> Callable[[type[Controller], Tools], Controller]:
    """How controllers are built: most need the tools only, these their part of the configuration."""
    ranges = NodeRanges(
        config.cluster_cidr, config.node_cidr_mask_size, config.node_cidr_mask_size_ipv6, config.service_cidr
    )
    more: Mapping[type[Controller], tuple[Any, ...]] = {
        EndpointSliceController: (config.endpoint_slices,),
        NodeIpamController: (ranges,),
        NodeLifecycleController: (config.node_lifecycle,),
        PodGcController: (config.terminated_pod_threshold,),
        RootCaController: (config.root_ca,),
        SigningController: (config.signing, config.signing_duration),
    }
    return lambda kind, tools: kind(tools, *more.get(kind, ()))


def _factory(config: ControllersConfig, clients: Client | ClientFactory) -> ClientFactory:
    if isinstance(clients, Client):
        return lambda _name: clients
    if not config.use_service_account_credentials:
        return lambda _name: clients("")
    return clients
