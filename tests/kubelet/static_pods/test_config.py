"""What counts as a source."""

from pathlib import Path

import pytest

from pilothouse.kubelet.static_pods.config import StaticPods


@pytest.mark.parametrize(
    ("config", "sources"),
    [
        (StaticPods(), ()),
        (StaticPods(path=Path("/m")), ("file",)),
        (StaticPods(url="http://x"), ("http",)),
        (StaticPods(path=Path("/m"), url="http://x"), ("file", "http")),
    ],
)
def test_sources(config: StaticPods, sources: tuple[str, ...]) -> None:
    assert config.sources == sources
    assert (config.file_check_frequency, config.http_check_frequency) == (20.0, 20.0)
