"""Where static pods come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FILE, URL = "file", "http"
"""Sources as annotations name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticPods:
    """Upstream: staticPodPath, staticPodURL, staticPodURLHeader, fileCheckFrequency and httpCheckFrequency of
    KubeletConfiguration.
    """

    path: Path | None = None
    """A directory of manifests, or one manifest."""
    url: str = ""
    """Answers with one pod or a list of pods."""
    url_header: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sent with each request."""
    file_check_frequency: float = 20.0
    """Seconds after which the path is read though nothing is heard of a change."""
    http_check_frequency: float = 20.0
    """Seconds between two requests."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Those that there are."""
        return (FILE,) * (self.path is not None) + (URL,) * bool(self.url)
