"""The control loops: controller manager and scheduler in one process, each with its own identity.

There is one such process a cluster, and the supervisor keeps it one: without a lease to wait for, its successor works
at once.
"""

import asyncio

from pilothouse.client.account_tokens import AccountClients
from pilothouse.client.memo import Memo
from pilothouse.cluster.access import connect
from pilothouse.cluster.home import Home
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.role import Ready
from pilothouse.cluster.settings import Settings
from pilothouse.controllers import main as controllers
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import main as scheduler
from pilothouse.scheduler.main import SchedulerConfig

NAME = "control"


async def run(home: Home, settings: Settings, clock: Clock, chance: Chance, ready: Ready) -> None:
    """Run both until cancelled; ready when both are."""
    pki = Pki(home, settings)
    memo = Memo(managed_fields=False)
    manager = await connect(home, settings, NAME, "controller-manager", clock, "kube-controller-manager", memo)
    accounts = AccountClients(
        manager, pki.anonymous(NAME).transport(clock), clock, agent="kube-controller-manager"
    )  # fmt: skip
    binder = await connect(home, settings, NAME, "scheduler", clock, "kube-scheduler", memo)
    config = ControllersConfig(
        cluster_cidr=(settings.cluster_cidr,), service_cidr=(settings.service_cidr,),
        root_ca=pki.trusted(NAME).decode("ascii"), signing=pki.signing_pair(), leader_elect=False,
    )  # fmt: skip
    waiting = ["controllers", "scheduler"]

    def done(name: str) -> None:
        waiting.remove(name)
        if not waiting:
            ready()

    async with Tasks() as tasks:
        tasks.spawn(
            controllers.run(config, accounts, clock, chance, lambda: done("controllers")), name="controllers"
        )  # fmt: skip
        tasks.spawn(
            scheduler.run(SchedulerConfig(leader_elect=False), binder, clock, chance, lambda: done("scheduler")),
            name="scheduler",
        )  # fmt: skip
        await asyncio.Event().wait()
