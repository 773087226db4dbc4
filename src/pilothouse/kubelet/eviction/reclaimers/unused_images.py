"""Images that no container uses, but for those that have only just come."""

from math import inf

from pilothouse.kubelet.eviction.reclaimer import Reclaimer
from pilothouse.kubelet.images.image_gc import ImageGcError
from pilothouse.runtime.log import Log

log = Log(__name__)


class UnusedImages(Reclaimer):
    """After the containers that held them."""

    rank = 20

    async def reclaim(self) -> None:
        """Remove all that may go."""
        try:
            await self._services.image_gc.free(inf, self._workers.pods().values())
        except ImageGcError as error:
            log.warning("Eviction manager: not all unused images could be removed", err=str(error))
