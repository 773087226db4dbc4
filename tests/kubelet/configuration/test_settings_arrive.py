"""A kubelet that was configured by a file: its node is as the file says, and so is what it tells of itself."""

from pathlib import Path

import pytest

from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.kubelet import main
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.configuration.fields import upstream_defaults
from pilothouse.kubelet.configuration.files import read_directory, read_file
from pilothouse.kubelet.configuration.mapping import configured
from pilothouse.kubelet.configuration.merge import Layers, lay, merged
from pilothouse.linux.cgroups import Cgroups
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

FILE = """
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
maxPods: 5
kubeReserved: {memory: 64Mi, ephemeral-storage: 1Mi}
evictionHard: {memory.available: 36Mi}
enforceNodeAllocatable: []
cgroupRoot: /pilothouse-no-such-group
registerWithTaints: [{key: example.com/new, effect: NoSchedule}]
podsPerCore: 3
"""
FURTHER = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 7\n"


def config(place: Path, now: float) -> KubeletConfig:
    (place / "kubelet.yaml").write_text(FILE)
    (place / "further").mkdir()
    (place / "further" / "10-pods.conf").write_text(FURTHER)
    base = lay(upstream_defaults(), {"podLogsDir": str(place / "logs")})
    document = merged(base, Layers(read_file(place / "kubelet.yaml"), read_directory(place / "further")))
    authority = Authority.create("test", now)
    pair = authority.issue("system:node:n1", (), addresses=("127.0.0.1",), usage=Usage.SERVER, now=now)
    bare = KubeletConfig(
        node_name="n1", address="127.0.0.1", root=place, logs=place, images=place, serving=pair,
        client_authority=authority.certificate,
    )  # fmt: skip
    return configured(bare, document | {"port": 0})


async def registered(client: Client, clock: Clock) -> Node:
    async with clock.timeout(30):
        while not (nodes := (await client.list(Node)).items):
            await clock.sleep(0.1)
    return nodes[0]


def test_settings_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            kubelet = main.run(config(tmp_path, clock.now()), client, FakeCri(clock), clock, chance)
            tasks.spawn(kubelet, name="kubelet")
            node = await registered(client, clock)
            assert node.status.capacity["pods"] == "7"
            kept = _bytes(node.status.capacity["memory"]) - _bytes(node.status.allocatable["memory"])
            assert kept >= 100 << 20, "what is reserved, and what is left when pods are evicted"
            (taint,) = (each for each in node.spec.taints if each.key == "example.com/new")
            assert taint.effect == "NoSchedule"
            tasks.cancel_all()

    run(story)
    assert {"field": "podsPerCore", "value": 3} in [vars(record).get("facts") for record in caplog.records]


def _bytes(text: str) -> int:
    units = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    return int(text[:-2]) * units[text[-2:]]
