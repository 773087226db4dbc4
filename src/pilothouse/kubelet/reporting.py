"""How often a node tells of itself, and what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReporting:
    """Upstream: nodeStatusUpdateFrequency, nodeStatusReportFrequency, nodeLeaseDurationSeconds, nodeStatusMaxImages and
    providerID of KubeletConfiguration.
    """

    update_period: float = 10.0
    """Seconds after which the status is drawn up though nobody says that it has changed."""
    report_period: float = 300.0
    """Seconds after which it is written though it has not."""
    lease_seconds: int = 40
    """How long the node's lease lasts; it is renewed four times as often."""
    max_images: int = 50
    """How many images the status lists; -1: all."""
    provider_id: str = ""
    """What a cloud calls the machine."""

    def __post_init__(self) -> None:
        for name, seconds in (("Update", self.update_period), ("Report", self.report_period)):
            if seconds <= 0:
                raise ValueError(f"nodeStatus{name}Frequency {seconds:g}s must be greater than zero")


USUAL = NodeReporting()
"""Upstream's defaults."""
