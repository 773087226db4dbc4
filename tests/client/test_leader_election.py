import asyncio

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery import errors
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.client.leader_election import LeaderElector, LeadershipLost, Observed, Periods, plan_lease
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, format_micro_time
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import EPOCH, run

NOW = format_micro_time(EPOCH)
OLD = "2025-12-31T00:00:00.000000Z"


def _lease(holder: str, seconds: int = 15, transitions: int = 2) -> Lease:
    return Lease({"spec": {"holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": OLD,
                           "renewTime": OLD, "leaseTransitions": transitions}})  # fmt: skip


@pytest.mark.parametrize(
    ("observed", "holder", "acquired", "transitions"),
    [
        (None, "me", NOW, 0),
        (Observed(_lease("me"), 0), "me", OLD, 2),
        (Observed(_lease("other"), 85.1), None, None, None),
        (Observed(_lease("other"), 85.0), "me", NOW, 3),
        (Observed(_lease("other", seconds=60), 50), None, None, None),
        (Observed(_lease(""), 100), "me", NOW, 3),
    ],
    ids=["no lease", "mine", "another's", "another's, unchanged too long", "their duration counts", "given back"],
)
def test_who_may_hold(observed: Observed | None, holder: str | None, acquired: str, transitions: int) -> None:
    spec = plan_lease(observed, "me", Periods(), EPOCH, 100.0)
    if holder is None:
        assert spec is None
    else:
        assert spec == {"holderIdentity": "me", "leaseDurationSeconds": 15, "acquireTime": acquired, "renewTime": NOW,
                        "leaseTransitions": transitions}  # fmt: skip


def _elector(api: FakeApi, clock: LoopClock, chance: Chance, identity: str) -> LeaderElector:
    return LeaderElector(api.client(), clock, chance, name="scheduler", identity=identity)


def test_one_leads_at_a_time_and_the_next_follows_at_once() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        api = FakeApi(clock)
        story: list[str] = []

        async def lead(name: str) -> None:
            story.append(name)
            await asyncio.Event().wait()

        async with Tasks() as tasks:
            first = tasks.spawn(_elector(api, clock, chance, "one").run(lambda: lead("one")), name="one")
            await clock.sleep(1)
            tasks.spawn(_elector(api, clock, chance, "two").run(lambda: lead("two")), name="two")
            await clock.sleep(300)
            assert story == ["one"]
            first.cancel()
            await clock.sleep(6)
        lease = api.get("leases", "kube-system", "scheduler")["spec"]
        assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("", 1)
        return story

    assert run(main) == ["one", "two"]


def test_a_leader_that_cannot_renew_ends() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        clock.call_later(60, lambda: setattr(api, "fail", lambda *_: errors.ServiceUnavailable("away")))
        try:
            await _elector(api, clock, chance, "one").run(asyncio.Event().wait)  # type: ignore[arg-type]
        finally:
            assert 70 <= clock.monotonic() <= 76

    with pytest.raises(LeadershipLost):
        run(main)


def test_another_takes_over_from_one_that_vanished() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        api = FakeApi(clock)
        api.add("coordination.k8s.io/v1", "Lease", {"metadata": {"name": "scheduler", "namespace": "kube-system"},
                                                    "spec": _lease("gone").literal()["spec"]})  # fmt: skip
        since: list[float] = []

        async def lead() -> None:
            since.append(clock.monotonic())

        await _elector(api, clock, chance, "two").run(lead)
        return since[0]

    assert 15 <= run(main) <= 20
