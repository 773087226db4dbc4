from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Page
from pilothouse.client.informer import Informer
from pilothouse.reconcile.ownership import (
    CONTROLLER,
    candidates,
    claim,
    controller_of,
    controller_reference,
    index_by_controller,
    is_controlled_by,
    plan_claims,
)
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

GOING = "2026-01-01T00:00:00Z"
ME = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "me", "controller": True,
      "blockOwnerDeletion": True}  # fmt: skip
OTHER = {**ME, "uid": "other"}
PLAIN = {**OTHER, "controller": None}


def _set(going: str | None = None) -> ReplicaSet:
    meta = {"name": "web", "namespace": "ns", "uid": "me", "deletionTimestamp": going}
    return ReplicaSet({"metadata": meta, "spec": {"selector": {"matchLabels": {"app": "web"}}}})


def _pod(app: str, *owners: dict[str, Any], going: str | None = None, name: str = "p") -> Pod:
    return Pod({"metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}", "labels": {"app": app},
                             "ownerReferences": list(owners), "deletionTimestamp": going}})  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "pod", "verdict"),
    [
        (_set(), _pod("web", ME), "mine"),
        (_set(GOING), _pod("web", ME), "mine"),
        (_set(), _pod("web", OTHER), ""),
        (_set(), _pod("old", ME), "release"),
        (_set(GOING), _pod("old", ME), ""),
        (_set(), _pod("old", ME, going=GOING), "release"),
        (_set(), _pod("web"), "adopt"),
        (_set(), _pod("web", PLAIN), "adopt"),
        (_set(GOING), _pod("web"), ""),
        (_set(), _pod("web", going=GOING), ""),
        (_set(), _pod("old"), ""),
    ],
)
def test_who_gets_what(owner: ReplicaSet, pod: Pod, verdict: str) -> None:
    claims = plan_claims(owner, from_label_selector(owner.spec.selector), [pod])
    found = {name: getattr(claims, name) for name in ("mine", "adopt", "release")}
    assert found == {name: (pod,) if name == verdict else () for name in found}


def test_the_controller_among_the_owners() -> None:
    assert controller_of(_pod("web", PLAIN, ME)).uid == "me"
    assert not controller_of(_pod("web", PLAIN))
    assert is_controlled_by(_pod("web", ME), _set())
    assert not is_controlled_by(_pod("web"), ReplicaSet({"metadata": {}}))


def _claim(owner: ReplicaSet, live: ReplicaSet | None, *pods: Pod) -> tuple[list[str], FakeApi]:
    async def main(clock: LoopClock, chance: Chance) -> tuple[list[str], FakeApi]:
        api = FakeApi(clock)
        if live is not None:
            api.add("apps/v1", "ReplicaSet", live.literal())
        for pod in pods:
            if pod.metadata.name != "gone":
                api.add("v1", "Pod", pod.literal())
        selector = from_label_selector(owner.spec.selector)
        mine = await claim(api.client(), Pod, owner, selector, pods)
        return [pod.metadata.name for pod in mine], api

    return run(main)


def test_orphans_are_adopted_and_strangers_released() -> None:
    mine, api = _claim(_set(), _set(), _pod("web", ME, name="a"), _pod("web", PLAIN, name="b"),
                       _pod("old", PLAIN, ME, name="c"), _pod("web", name="gone"))  # fmt: skip
    assert mine == ["a", "b"]
    owners = {pod["metadata"]["name"]: pod["metadata"]["ownerReferences"] for pod in api.of("pods")}
    assert sorted(owner["uid"] for owner in owners["b"]) == ["me", "other"]
    assert ME in owners["b"]
    assert [owner["uid"] for owner in owners["c"]] == ["other"]


@pytest.mark.parametrize("live", [None, _set(GOING), ReplicaSet({"metadata": {"name": "web", "namespace": "ns",
                                                                              "uid": "new"}})])  # fmt: skip
def test_nothing_is_adopted_by_who_is_going_or_gone(live: ReplicaSet | None) -> None:
    mine, api = _claim(_set(), live, _pod("web", name="a"))
    assert mine == []
    assert [target for method, target in api.calls if method == "PATCH"] == []


def test_a_reference_says_who_controls() -> None:
    async def main(clock: LoopClock, chance: Chance) -> dict[str, Any]:
        return controller_reference(_set(), FakeApi(clock).client().resource(ReplicaSet))

    assert run(main) == ME


def test_candidates_are_its_own_and_the_orphans_of_its_namespace() -> None:
    lister: Informer[Pod] = Informer()
    lister.add_index(CONTROLLER, index_by_controller)
    abroad = Pod({"metadata": {"name": "d", "namespace": "other"}})
    pods = (_pod("web", name="a"), _pod("web", ME, name="b"), _pod("web", OTHER, name="c"), abroad)
    lister.replace(Page(pods, "1", ""))
    assert [pod.metadata.name for pod in candidates(lister.lister, _set())] == ["b", "a"]
