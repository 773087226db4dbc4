"""A cluster of ours for the contract suite, unless it is told to test somebody else's.

What needs no container runs on each store; the rest on the cluster with a real node.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from contract import images
from contract_images.build import build_all
from contract_images.registry import Content, serve, stand_in_for
from fakes.command import Cluster
from fakes.etcd import Etcd, new_prefix, skip_without_etcd
from fakes.served_cluster import Keys, LeapingClock, Served, serve_api, serve_cluster
from pilothouse.apiserver.config import EtcdConfig

pytest_plugins = ["fakes.node_cluster"]
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
OPTION = "--kubeconfig"
EXAMPLES, SEED, LINE = "--examples", "--from", "--line-megabytes"
STORES = ("sqlite", "etcd")
NODE = "node"
_CONTAINERS = Path(__file__).parent / "contract" / "containers"
HISTORY_SECONDS = 400
"""Longer than any version is kept that nobody reads."""
_BUDGETS = "nobody counts yet what a PodDisruptionBudget allows"
_KEEPER = "nothing makes the pods of DaemonSets and StatefulSets yet"
NOT_YET = {
    "DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of"
    " PodDisruptionBudgets": _BUDGETS,
    "DisruptionController should create a PodDisruptionBudget": _BUDGETS,
    "DisruptionController should observe PodDisruptionBudget status updated": _BUDGETS,
    "DisruptionController should update/patch PodDisruptionBudget status": _BUDGETS,
    "DisruptionController should block an eviction until the PDB is updated to allow it": _BUDGETS,
    "ControllerRevision should manage the lifecycle of a ControllerRevision": _KEEPER,
    "Daemon set should verify changes to a daemon set status": _KEEPER,
    "StatefulSet Basic StatefulSet functionality should validate Statefulset Status endpoints": _KEEPER,
}
"""Tests of the contract suite that we are known to fail, and why. One that passes fails, so that it goes from here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, help="kubeconfig of the cluster that tests/contract is to test; without it, our own")
    parser.addoption(EXAMPLES, type=int, default=6, help="how many bad bodies a kind, and so on, `make fuzz` sends")
    parser.addoption(LINE, type=int, default=64, help="how long a line is that a container logs")
    parser.addoption(SEED, default="", help="a word that other bad input than CI's is made from")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "own_kubeconfig" in metafunc.fixturenames:
        own = (NODE,) if _runs_containers(metafunc.definition) else STORES
        clusters = ("given",) if metafunc.config.getoption(OPTION) else own
        metafunc.parametrize("own_kubeconfig", clusters, indirect=True, scope="session")


def _runs_containers(item: pytest.Item) -> bool:
    return _CONTAINERS in item.path.parents


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What others must do, we may not be able to do yet."""
    for item in items:
        if _runs_containers(item):
            item.add_marker(pytest.mark.node)
    if config.getoption(OPTION):
        return
    for item in items:
        mark = item.get_closest_marker("conformance")
        if mark is not None and mark.args[0] in NOT_YET:
            item.add_marker(pytest.mark.xfail(reason=NOT_YET[mark.args[0]], strict=True))


@contextmanager
def _store(name: str, compaction_interval: float = 300.0) -> Iterator[EtcdConfig | None]:
    """What to tell an API server of the store of that name."""
    if name != "etcd":
        yield None
        return
    skip_without_etcd()
    with Etcd.running() as etcd:
        yield EtcdConfig(servers=tuple(etcd.urls), prefix=new_prefix(), compaction_interval=compaction_interval)


@contextmanager
def _images(cluster: Cluster) -> Iterator[None]:
    """Have the suite's images on the node, and those that it pulls to be had."""
    served: list[Content] = []

    def load(archive: Path) -> None:
        cluster.run("image", "load", str(archive), check=True)
        served.append(Content.read(archive, images.KITTEN))

    build_all(load)
    with serve(served[0]) as url:
        stand_in_for(images.KITTEN.partition("/")[0], url, cluster.home / "node" / "registries")
        yield


@pytest.fixture(scope="session")
def own_kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a running cluster: the one given, or one of ours: on a store, or with a node."""
    if request.param == "given":
        yield Path(request.config.getoption(OPTION))
        return
    if request.param == NODE:
        cluster = request.getfixturevalue("cluster")
        with _images(cluster):
            yield cluster.kubeconfig
        return
    directory = tmp_path_factory.mktemp("cluster")
    keys = Keys.new()
    with _store(request.param) as etcd:
        served = Served(partial(serve_cluster, keys.config(directory, etcd=etcd), keys))
        served.begin()
        yield keys.kubeconfig(directory, served.port)
        served.stop()


@pytest.fixture
def own_forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A kubeconfig, and how to make that server forget old versions at its next write rather than in minutes."""
    if given := request.config.getoption(OPTION):
        yield Path(given), lambda: None
        return
    clock = LeapingClock()
    keys = Keys.new()

    def forget() -> None:
        clock.leapt += HISTORY_SECONDS

    with _store(request.node.callspec.params["own_kubeconfig"], compaction_interval=0.5) as etcd:
        served = Served(partial(serve_api, keys.config(tmp_path, etcd=etcd), clock))
        served.begin()
        yield keys.kubeconfig(tmp_path, served.port), forget if etcd is None else lambda: None
        served.stop()
