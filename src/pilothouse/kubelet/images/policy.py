"""How images are pulled, and when those that nobody uses are removed."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Verify(Enum):
    """Which images that are here are for those alone who could pull them. Upstream's names."""

    NEVER = "NeverVerify"
    NOT_PRELOADED = "NeverVerifyPreloadedImages"
    """Those that the kubelet has pulled."""
    NOT_ALLOWLISTED = "NeverVerifyAllowlistedImages"
    """Those too that it has not, unless they are listed."""
    ALWAYS = "AlwaysVerify"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePolicy:
    """Upstream: serializeImagePulls, maxParallelImagePulls, registryPullQPS, registryBurst,
    imageGCHighThresholdPercent, -LowThresholdPercent, imageMinimumGCAge, imageMaximumGCAge,
    imagePullCredentialsVerificationPolicy and preloadedImagesVerificationAllowlist of KubeletConfiguration;
    podInfraContainerImage, imageCredentialProviderConfig and imageCredentialProviderBinDir of its flags."""

    serialize_pulls: bool | None = None
    """Whether one pull follows the other; None: unless more than one may run at once."""
    max_parallel_pulls: int | None = None
    """How many pulls may run at once where they need not follow each other; None: any number."""
    pull_rate: int = 5
    """How many pulls a second may begin; one that comes sooner fails. 0: any number."""
    pull_burst: int = 10
    """How many may begin at once after a quiet time."""
    high_threshold: int = 85
    """Percent of the disk with images above which unused ones are removed; 100: never."""
    low_threshold: int = 80
    """Percent of the disk down to which they are removed."""
    minimum_age: float = 120.0
    """Seconds for which an image is known before it may go: it may have been pulled for somebody."""
    maximum_age: float = 0.0
    """Seconds after which an unused image goes however much room there is; 0: none does."""
    provider_config: Path | None = None
    """Which programs give credentials: a file, or a directory of files."""
    provider_programs: Path | None = None
    """Where those programs are."""
    verify: Verify = Verify.NOT_PRELOADED
    """Whose images are for whom."""
    allowlist: tuple[str, ...] = ()
    """Names of images for which nobody needs credentials unless the kubelet has pulled them; `/*` at the end stands
    for all below."""
    kept: tuple[str, ...] = ()
    """Images that never go, besides those that the runtime has pinned: that of sandboxes."""

    def __post_init__(self) -> None:
        for name, percent in (("High", self.high_threshold), ("Low", self.low_threshold)):
            if not 0 <= percent <= 100:
                raise ValueError(f"imageGC{name}ThresholdPercent {percent} must be between 0 and 100, inclusive")
        if self.low_threshold >= self.high_threshold:
            raise ValueError(
                f"imageGCLowThresholdPercent {self.low_threshold} must be less than imageGCHighThresholdPercent "
                f"{self.high_threshold}"
            )
        if self.maximum_age < 0:
            raise ValueError(f"imageMaximumGCAge {self.maximum_age:g}s must not be negative")
        if 0 < self.maximum_age <= self.minimum_age:
            raise ValueError(
                f"imageMaximumGCAge {self.maximum_age:g}s must be greater than imageMinimumGCAge {self.minimum_age:g}s"
            )
        if self.max_parallel_pulls is not None and self.max_parallel_pulls < 1:
            raise ValueError(f"maxParallelImagePulls {self.max_parallel_pulls} must be a positive number")
        for name, least in (("PullQPS", self.pull_rate), ("Burst", self.pull_burst)):
            if least < 0:
                raise ValueError(f"registry{name} {least} must not be a negative number")
        if self.serialize_pulls and (self.max_parallel_pulls or 1) > 1:
            raise ValueError("maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls set to false")

    @property
    def at_once(self) -> int | None:
        """How many pulls run at once; None: any number."""
        serial = (self.max_parallel_pulls or 1) < 2 if self.serialize_pulls is None else self.serialize_pulls
        return 1 if serial else self.max_parallel_pulls

    @property
    def collects(self) -> bool:
        """Whether images are ever removed."""
        return self.high_threshold < 100 or self.maximum_age > 0


UPSTREAMS = ImagePolicy()
"""As upstream has it of its own accord."""
