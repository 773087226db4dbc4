from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import ConfigMap, Namespace
from pilothouse.controllers.root_ca import DESCRIPTION, NAME, RootCaController, plan_config_map
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

DESCRIBED = {"kubernetes.io/description": DESCRIPTION}
RIGHT = {"metadata": {"name": NAME, "namespace": "a", "annotations": DESCRIBED}, "data": {"ca.crt": "PEM"}}
A = {"metadata": {"name": "a"}}


@pytest.mark.parametrize(
    ("namespace", "present", "planned"),
    [
        (A, None, RIGHT),
        (A, RIGHT, None),
        (A, {**RIGHT, "data": {"ca.crt": "old"}}, RIGHT),
        (A, {**RIGHT, "data": {"ca.crt": "PEM", "more": ""}}, RIGHT),
        (A, {**RIGHT, "metadata": {"name": NAME, "namespace": "a"}}, RIGHT),
        ({**A, "status": {"phase": "Terminating"}}, None, None),
    ],
)
def test_what_it_should_be(namespace: dict[str, Any], present: dict[str, Any] | None, planned: object) -> None:
    found = None if present is None else ConfigMap(present)
    assert plan_config_map(Namespace(namespace), found, "PEM") == planned


def test_every_namespace_has_it_and_gets_it_back() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        api.add("v1", "Namespace", A)
        async with Tasks() as tasks:
            run_all([RootCaController], api.client, clock, chance, tasks, make=lambda _, t: RootCaController(t, "PEM"))
            await clock.sleep(1)
            assert api.get("configmaps", "a", NAME)["data"] == {"ca.crt": "PEM"}
            api.put("configmaps", "a", NAME, {"data": {"ca.crt": "forged"}})
            await clock.sleep(1)
            assert api.get("configmaps", "a", NAME)["data"] == {"ca.crt": "PEM"}
            api.remove("configmaps", "a", NAME)
            await clock.sleep(1)
            assert api.get("configmaps", "a", NAME)["data"] == {"ca.crt": "PEM"}
            calls = len(api.calls)
            await clock.sleep(1000)
            assert len(api.calls) == calls

    run(main)
