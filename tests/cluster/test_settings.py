"""Settings: kept as they were, and clear words where there are none."""

from pathlib import Path

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.settings import Settings


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    settings = Settings(port=7, node=False, simulated_nodes=3, node_name="n", unprivileged=5)
    settings.save(Home(tmp_path))
    assert Settings.load(Home(tmp_path)) == settings


def test_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"there is no cluster in .*pilothouse up"):
        Settings.load(Home(tmp_path))


def test_damaged(tmp_path: Path) -> None:
    Home(tmp_path).settings.write_text("{")
    with pytest.raises(ClusterError, match="is damaged"):
        Settings.load(Home(tmp_path))


def test_what_a_newer_version_added_is_passed_over(tmp_path: Path) -> None:
    Home(tmp_path).settings.write_text('{"port": 1, "colour": "red"}')
    assert Settings.load(Home(tmp_path)) == Settings(port=1)
