"""A container runtime that somebody else runs: met over CRI alone, and never started or stopped."""

from pathlib import Path

from pilothouse.kubelet.containerd import RuntimeMissing
from pilothouse.kubelet.cri.features import CgroupDriver
from pilothouse.kubelet.cri.interface import Cri, CriError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

_PATIENCE = 30.0
_PAUSE = 0.1
_SYSTEMD = "systemd"
_LOG = Log(__name__)


async def meet(cri: Cri, endpoint: str, configured_driver: str, clock: Clock, images: Path) -> Path:
    """Wait until it answers, and see that it fits; where it keeps images, `images` when it does not tell.

    Raises RuntimeMissing.
    """
    await _until_it_answers(cri, endpoint, clock)
    try:
        told = await cri.runtime_config()
        filesystems = (await cri.image_filesystems()).images
    except CriError as error:
        raise RuntimeMissing(f"the container runtime at {endpoint} fails: {error}") from error
    if told is CgroupDriver.SYSTEMD or (told is None and configured_driver == _SYSTEMD):
        who = "the container runtime has" if told is not None else "cgroupDriver of the kubelet's configuration has"
        raise RuntimeMissing(
            f"{who} systemd make its control groups, this kubelet makes them itself (cgroupfs): set "
            f"SystemdCgroup = false, or what your runtime calls it, for the runtime at {endpoint}"
        )
    return Path(filesystems[0].mountpoint) if filesystems else images


async def _until_it_answers(cri: Cri, endpoint: str, clock: Clock) -> None:
    problem: Exception | None = None
    try:
        async with clock.timeout(_PATIENCE):
            while True:
                try:
                    version = await cri.version()
                except CriError as error:
                    problem = error
                else:
                    _LOG.info("Found the container runtime", endpoint=endpoint, name=version.name)
                    return
                await clock.sleep(_PAUSE)
    except TimeoutError:
        raise RuntimeMissing(f"the container runtime at {endpoint} does not answer: {problem}") from problem
