import asyncio

import pytest

from fakes.api import FakeApi
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import ConfigMap, Event, Node, Pod, ServiceAccount
from pilothouse.client.client import Client
from pilothouse.client.leader_election import LeadershipLost
from pilothouse.controllers.certificates.signing import SigningController
from pilothouse.controllers.deployment.controller import DeploymentController
from pilothouse.controllers.main import ControllersConfig, can_run, everyone, run, selected
from pilothouse.controllers.namespace import NamespaceController
from pilothouse.controllers.node_ipam import NodeIpamController
from pilothouse.controllers.root_ca import RootCaController
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run as play

LABELS = {"app": "web"}
DEPLOYMENT = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "example:1"}]}},
    },
}
PAIR = KeyPair(b"certificate", b"key")
KINDS = [DeploymentController, NamespaceController]


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("*",), KINDS),
        (("*", "-namespace-controller"), [DeploymentController]),
        (("namespace-controller",), [NamespaceController]),
        ((), []),
    ],
)
def test_names_choose_controllers(names: tuple[str, ...], kinds: list[object]) -> None:
    assert selected(names, KINDS) == kinds


@pytest.mark.parametrize("name", ["no-such", "-no-such"])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(LookupError, match="no-such"):
        selected(("*", name), KINDS)


@pytest.mark.parametrize(
    ("config", "without"),
    [
        (ControllersConfig(root_ca="PEM", signing=PAIR), set()),
        (ControllersConfig(signing=PAIR), {RootCaController}),
        (ControllersConfig(root_ca="PEM", signing=PAIR, cluster_cidr=()), {NodeIpamController}),
        (ControllersConfig(root_ca="PEM"), {SigningController}),
    ],
)
def test_what_lacks_its_configuration_does_not_run(config: ControllersConfig, without: set[object]) -> None:
    assert {kind for kind in everyone() if not can_run(kind, config)} == without


def test_the_key_is_not_shown() -> None:
    assert "key" not in repr(ControllersConfig(signing=PAIR))


def test_a_whole_cluster_in_which_each_controller_may_do_just_its_work() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(root_ca="PEM")) as cluster:
            client = cluster.client()
            await client.create(Deployment, DEPLOYMENT)
            await client.create(Node, {"metadata": {"name": "n"}})
            await clock.sleep(5)
            await client.get(ServiceAccount, "default", "default")
            assert (await client.get(ConfigMap, "kube-root-ca.crt", "default")).data["ca.crt"] == "PEM"
            assert (await client.get(Node, "n")).spec.podCIDR == "10.244.0.0/24"
            pods = (await client.list(Pod, "default", labels="app=web")).items
            assert len(pods) == 3
            events = {found.raw["reason"] for found in (await client.list(Event, "default")).items}
            assert {"ScalingReplicaSet", "SuccessfulCreate"} <= events

    play(story)


def test_one_leads_and_another_follows_when_it_is_gone() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        led: list[str] = []

        def candidate(name: str) -> tuple[ControllersConfig, Client]:
            return ControllersConfig(leader_identity=name, controllers=("namespace-controller",)), api.client(name)

        async with Tasks() as tasks:
            first = tasks.spawn(run(*candidate("a"), clock, chance, lambda: led.append("a")), name="a")
            await clock.sleep(1)
            tasks.spawn(run(*candidate("b"), clock, chance, lambda: led.append("b")), name="b")
            await clock.sleep(60)
            assert led == ["a"]
            first.cancel()
            await clock.sleep(5)
            assert led == ["a", "b"]

    play(story)


def test_who_cannot_renew_the_lease_ends() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        leading = asyncio.Event()
        config = ControllersConfig(controllers=("namespace-controller",))

        async def thief() -> None:
            await leading.wait()
            lease = (await api.client().get(Lease, "kube-controller-manager", "kube-system")).literal()
            lease["spec"]["holderIdentity"] = "thief"
            await api.client().update(Lease, lease)

        async with Tasks() as tasks:
            tasks.spawn(thief(), name="thief")
            with pytest.raises(LeadershipLost):
                await run(config, api.client(), clock, chance, leading.set)

    play(story)


def test_without_credentials_of_their_own_all_act_as_the_manager() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        asked: list[str] = []

        def clients(name: str) -> Client:
            asked.append(name)
            return api.client()

        for own in (False, True):
            config = ControllersConfig(
                controllers=("deployment-controller",), leader_elect=False, use_service_account_credentials=own
            )
            async with Tasks() as tasks:
                tasks.spawn(run(config, clients, clock, chance), name="run")
                await clock.sleep(1)
            assert ("deployment-controller" in asked) is own

    play(story)


def test_what_controllers_write_keeps_managed_fields_that_they_do_not_read() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[tuple[str, str]]:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            await client.create(Deployment, DEPLOYMENT)
            await clock.sleep(5)
            found = await client.get(Deployment, "web", "default")
            assert found.status.replicas == 3
            return sorted((entry.manager, entry.subresource) for entry in found.metadata.managedFields)

    assert play(main) == [("kube-controller-manager", "status"), ("test", "")]
