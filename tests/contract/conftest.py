"""The contract suite: what upstream's conformance tests ask of a cluster; in `containers`, of one that runs containers.

It takes any cluster, `pytest tests/contract --kubeconfig FILE`, and imports nothing of Pilothouse. Without a kubeconfig
the directory above gives it one of ours (`own_kubeconfig`).

What needs no container has been held against upstream's own server, v1.20.2 built from source
(`fakes/upstream_cluster.py` says how to run it). Of the 93 tests whose names are as old, 90 pass there; the others ask
for what came later or for what that build lacked: `expose` for EndpointSlices of discovery.k8s.io/v1 (v1.21), signing
requests for `expirationSeconds` (v1.22), the server's version for a build that is stamped with one. Of the 90 that are
newer 42 pass as well; the rest ask for kinds, fields and refusals of later versions and prove nothing there.
"""

import math
import shutil
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from contract.api import Api
from contract.conformance import Checks, listed
from contract.kubectl import Kubectl
from contract.namespaces import NewNamespace, namespaces

IMPATIENT = 1.0


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that passes must have looked at all that is listed for it."""
    outcome = yield
    checks = pyfuncitem.funcargs.get("check")
    if isinstance(checks, Checks):
        assert checks.missing == [], "listed, but not looked at"
    return outcome


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Checks:
    """Looks at one assertion of the test's list."""
    mark = request.node.get_closest_marker("conformance")
    return Checks(listed()[mark.args[0]])


@pytest.fixture(scope="session")
def kubeconfig(own_kubeconfig: Path) -> Path:
    """The kubeconfig of the cluster under test."""
    return own_kubeconfig


@pytest.fixture(scope="session")
def api(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The cluster, as its administrator."""
    access = Api(kubeconfig, tmp_path_factory.mktemp("discovery") / "cache.json")
    yield access
    access.close()


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest, api: Api) -> None:
    """What is known to fail need not wait for long."""
    api.longest = IMPATIENT if request.node.get_closest_marker("xfail") else math.inf


@pytest.fixture(scope="session")
def keeps_tokens(api: Api) -> bool:
    """Whether each service account has a secret, which pods wait for: until v1.24 it was so."""
    accounts = api.objects("v1", "ServiceAccount", "kube-system")
    found = accounts.until(lambda items: "default" in items, 120, field="metadata.name=default")
    return "secrets" in found["default"]


@pytest.fixture
def new_namespace(api: Api, keeps_tokens: bool) -> Iterator[NewNamespace]:
    """Makes namespaces that go with the test."""
    with namespaces(api, keeps_tokens) as make:
        yield make


@pytest.fixture
def namespace(new_namespace: NewNamespace) -> str:
    """A namespace of the test's own."""
    return new_namespace()


@pytest.fixture
def unique() -> str:
    """A word that nobody else uses."""
    return "e2e" + uuid.uuid4().hex[:8]


@pytest.fixture
def kubectl(kubeconfig: Path, namespace: str, tmp_path: Path) -> Kubectl:
    """The newest kubectl of this machine, in the test's namespace."""
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl is installed")
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.*"))
    return Kubectl(
        [str(beside[-1]) if beside else found, f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}"], namespace
    )
