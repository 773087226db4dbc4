"""The part of the contract suite that runs containers: without a kubeconfig, on our cluster that has a node."""

from collections.abc import Iterator

import pytest

from contract.api import Api
from contract.namespaces import namespaces
from contract.workloads import Workloads


@pytest.fixture
def workloads(api: Api, namespace: str) -> Workloads:
    """Pods that do something, in the test's namespace."""
    return Workloads(api, namespace)


@pytest.fixture(scope="module")
def shared(api: Api, keeps_tokens: bool) -> Iterator[Workloads]:
    """The same in a namespace of the module's: for cases that are run side by side."""
    with namespaces(api, keeps_tokens) as make:
        yield Workloads(api, make())
