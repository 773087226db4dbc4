"""Tests on a real node, and the image that they run."""

from pathlib import Path

import pytest

from fakes.command import Cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
BEFORE_A_CLUSTER = {"test_handlers.py": 0, "test_down.py": 1, "test_runtime_endpoint.py": 2}
"""What looks at the whole machine goes first, before there is a cluster whose pods end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests."""
    items.sort(key=lambda item: BEFORE_A_CLUSTER.get(item.path.name, len(BEFORE_A_CLUSTER)))
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.node)


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> str:
    """The example application's image, version 1; version 2 is there as well."""
    for version in ("1", "2"):
        options = ["--build-context", "machine=/usr/bin", "--build-arg", f"VERSION={version}"]
        cluster.run("image", "build", str(EXAMPLES / "hello"), "-t", f"hello:{version}", *options, check=True)
    return "hello:1"
