"""The part of the contract suite that runs containers: without a kubeconfig, on our cluster that has a node."""

import pytest

from contract.api import Api
from contract.workloads import Workloads


@pytest.fixture
def workloads(api: Api, namespace: str) -> Workloads:
    """Pods that do something, in the test's namespace."""
    return Workloads(api, namespace)
