"""How much of what containers write is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Upstream: containerLogMaxSize, -MaxFiles, -MaxWorkers and -MonitorInterval of KubeletConfiguration."""

    max_size: int = 10 << 20
    """Bytes at which a log is moved away and begun anew; below 0: never."""
    max_files: int = 5
    """How many files a log may have, the one that is written included."""
    max_workers: int = 1
    """How many logs are rotated at once."""
    monitor_interval: float = 10.0
    """Seconds between two looks at the sizes."""

    def __post_init__(self) -> None:
        if self.max_files <= 1:
            raise ValueError(f"containerLogMaxFiles {self.max_files} must be greater than 1")
        if self.max_workers < 1:
            raise ValueError(f"containerLogMaxWorkers {self.max_workers} must be greater than or equal to 1")
        if self.monitor_interval < 3:
            raise ValueError(f"containerLogMonitorInterval {self.monitor_interval:g}s must be greater than 3 seconds")
