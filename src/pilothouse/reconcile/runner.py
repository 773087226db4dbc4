"""Runner: starts every controller of a package and keeps its workers going.

Informers are shared and read with the controller manager's own identity; each controller writes with its own, so that
the audit log says who did what and a fault in one cannot do what another may.
"""

from collections.abc import Callable, Iterable, Sequence

from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informers
from pilothouse.reconcile.controller import Controller, Tools
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

ClientFactory = Callable[[str], Client]
"""The client of a service account in kube-system; the empty name stands for the controller manager itself."""

log = Log(__name__)


def run_all(
    controllers: Iterable[type[Controller]],
    clients: ClientFactory,
    clock: Clock,
    chance: Chance,
    tasks: Tasks,
    *,
    make: Callable[[type[Controller], Tools], Controller] = lambda kind, tools: kind(tools),
) -> Sequence[Controller]:
    """Build the controllers and start them; they run until `tasks` ends. `make` may give one more than the tools."""
    informers = Informers(clients(""), clock, tasks, chance)
    running: list[Controller] = []
    for kind in controllers:
        identity = kind.identity or kind.name
        client = clients(identity)
        events = EventRecorder(client, clock, tasks, component=kind.component or identity)
        controller = make(kind, Tools(client, informers, clock, chance, events))
        controller.watch()
        tasks.spawn(_run(controller, tasks), name=controller.name)
        running.append(controller)
    return running


async def _run(controller: Controller, tasks: Tasks) -> None:
    await controller.synced()
    await controller.start()
    log.info("Started controller", controller=controller.name)
    for number in range(controller.workers):
        tasks.spawn(controller.work(), name=f"{controller.name} worker {number}")
