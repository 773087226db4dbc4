"""One cluster with a real node for all tests of this directory, and the image that they run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, is_root
from fakes.traces import differences, snapshot
from pilothouse.cluster.addresses import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests; those that look at the whole machine go first, before there is a cluster whose pods end."""
    items.sort(key=lambda item: item.path.name != "test_down.py")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.node)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home that the unprivileged user may enter, and short enough for its sockets."""
    if not is_root():
        pytest.skip("a node needs root")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ph") as place:
        Path(place).chmod(0o711)
        yield Path(place) / "home"


@pytest.fixture(scope="session")
def cluster(home: Path) -> Iterator[Cluster]:
    """A cluster of one node; when it is gone, the machine must be as it was."""
    before = snapshot(home)
    made = Cluster(home)
    up = made.run("up", "--port", str(free_port(6443)))
    try:
        assert up.returncode == 0, up.stderr + _logs(home)
        yield made
    finally:
        down = made.run("down", "--delete")
    assert down.returncode == 0, down.stderr
    assert not home.exists()
    assert differences(before, snapshot(home)) == {}


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> str:
    """The example application's image, version 1; version 2 is there as well."""
    for version in ("1", "2"):
        options = ["--build-context", "machine=/usr/bin", "--build-arg", f"VERSION={version}"]
        cluster.run("image", "build", str(EXAMPLES / "hello"), "-t", f"hello:{version}", *options, check=True)
    return "hello:1"


def _logs(home: Path) -> str:
    logs = sorted((home / "logs").glob("*.log")) if (home / "logs").exists() else []
    return "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)
