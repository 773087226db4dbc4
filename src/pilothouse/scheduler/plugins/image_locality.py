"""ImageLocality: better where the images are already.

An image counts by its size, and the more the more nodes have it: else the first node to pull an image would attract
every later pod. Upstream: plugins/imagelocality.
"""

from collections.abc import Hashable

import numpy as np

from pilothouse.scheduler.columns import Ints
from pilothouse.scheduler.framework import MAX_SCORE, Plugin
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo

_MEBIBYTE = 1024 * 1024
_REMEMBERED = 512
LEAST = 23 * _MEBIBYTE
"""Smaller images are not worth a thought."""
MOST = 1000 * _MEBIBYTE
"""Larger ones, for each image of the pod, make no more difference."""


def full_name(image: str) -> str:
    """The name with its tag, as nodes report it."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


class ImageLocality(Plugin):
    """Looks for the pod's images in the node's status."""

    name = "ImageLocality"

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Ints] = {}
        self._version = -1

    def sort(self, pod: PodInfo) -> Hashable | None:
        """The images."""
        return pod.images

    def rates(self, pod: PodInfo, nodes: Nodes) -> Ints | None:
        """The share of the images' bytes that need not be pulled."""
        version = nodes.columns.image_version
        if version != self._version or len(self._known) >= _REMEMBERED:
            self._known.clear()
            self._version = version
        scores = self._known.get(pod.images)
        if scores is None:
            scores = self._known[pod.images] = _scores(pod.images, nodes)
        return scores


def _scores(images: tuple[str, ...], nodes: Nodes) -> Ints:
    """The scores of all rows."""
    total = np.zeros(nodes.columns.rows, dtype=np.int64)
    for image in images:
        sizes = nodes.columns.image(full_name(image))
        holders = int((sizes >= 0).sum())
        if holders:
            total += (np.maximum(sizes, 0) * (holders / len(nodes))).astype(np.int64)
    most = MOST * max(len(images), 1)
    scores: Ints = MAX_SCORE * (np.clip(total, LEAST, most) - LEAST) // (most - LEAST)
    return scores
