from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.core_v1 import Namespace, ServiceAccount
from pilothouse.controllers.service_account import ServiceAccountController, plan_account
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
MISSING = {"metadata": {"name": "default", "namespace": "a"}}


@pytest.mark.parametrize(
    ("namespace", "present", "planned"),
    [
        ({"metadata": {"name": "a"}}, None, MISSING),
        ({"metadata": {"name": "a"}}, ServiceAccount(MISSING), None),
        ({"metadata": {"name": "a", **GOING}}, None, None),
        ({"metadata": {"name": "a"}, "status": {"phase": "Terminating"}}, None, None),
    ],
)
def test_what_is_missing(namespace: dict[str, Any], present: ServiceAccount | None, planned: object) -> None:
    assert plan_account(Namespace(namespace), present) == planned


def test_every_namespace_has_one_and_gets_it_back() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        api.add("v1", "Namespace", {"metadata": {"name": "a"}})
        async with Tasks() as tasks:
            run_all([ServiceAccountController], api.client, clock, chance, tasks)
            await clock.sleep(1)
            api.add("v1", "Namespace", {"metadata": {"name": "b"}})
            api.add("v1", "Namespace", {"metadata": {"name": "going", **GOING}})
            await clock.sleep(1)
            api.remove("serviceaccounts", "a", "default")
            await clock.sleep(1)
            found = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in api.of("serviceaccounts")]
            assert sorted(found) == [("a", "default"), ("b", "default")]

    run(main)


def test_a_namespace_that_goes_meanwhile_is_left_alone() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        refusal = errors.Forbidden("", details={"causes": [{"reason": "NamespaceTerminating"}]})
        api.fail = lambda method, _: refusal if method == "POST" else None
        api.add("v1", "Namespace", {"metadata": {"name": "a"}})
        async with Tasks() as tasks:
            run_all([ServiceAccountController], api.client, clock, chance, tasks)
            await clock.sleep(60)
            assert sum(method == "POST" for method, _ in api.calls) == 1

    run(main)
