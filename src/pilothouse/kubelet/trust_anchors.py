"""Trust anchors: root certificates out of ClusterTrustBundles, each once, as volumes show them.

Their order is the same for a kubelet's life and another one in the next, so that nobody comes to rely on it.
Source of the facts: pkg/kubelet/clustertrustbundle.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from pilothouse.api.certificates.pem import blocks, encoded
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle
from pilothouse.client.informer import Informer
from pilothouse.client.key import Key
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

_LONGEST_SELECTOR = 100 * 1024
_REMEMBERED = 256
"""How many selections are kept ready."""
_PATIENCE = 2.0
"""Seconds in which the first list should come; a pod that waits longer is told."""


class TrustBundles(Protocol):
    """The bundles of the cluster."""

    async def synced(self) -> bool:
        """Whether they are known by now."""
        ...

    def get(self, name: str) -> ClusterTrustBundle | None:
        """The bundle of this name."""
        ...

    def of_signer(self, signer: str) -> Iterable[ClusterTrustBundle]:
        """All bundles of a signer."""
        ...


class TrustAnchors:
    """What the bundles say. Raises VolumeError for what is not there."""

    def __init__(self, bundles: TrustBundles, chance: Chance) -> None:
        self._bundles = bundles
        self._salt = chance.uid().encode()
        self._ready: dict[tuple[str, str, str], tuple[list[str], bytes]] = {}

    async def by_name(self, name: str, *, optional: bool) -> bytes:
        """The anchors of one bundle."""
        await self._synced()
        bundle = self._bundles.get(name)
        if bundle is None:
            if optional:
                return b""
            resource = "clustertrustbundle.certificates.k8s.io"
            raise VolumeError(f'while getting ClusterTrustBundle: {resource} "{name}" not found')
        return self._anchors((name, "", ""), [bundle])

    async def by_signer(self, signer: str, labels: Mapping[str, Any] | None, *, optional: bool) -> bytes:
        """The anchors of those of a signer's bundles that have the labels. None selects nothing, {} all."""
        await self._synced()
        try:
            selector = from_label_selector(labels)
        except ValueError as error:
            raise VolumeError(f"while parsing label selector: {error}") from error
        shown = str(selector)
        if len(shown) > _LONGEST_SELECTOR:
            raise VolumeError(f"label selector length ({len(shown)}) is larger than {_LONGEST_SELECTOR}")
        found = [one for one in self._bundles.of_signer(signer) if selector.matches(one.metadata.labels)]
        if not found:
            if optional:
                return b""
            raise VolumeError("combination of signerName and labelSelector matched zero ClusterTrustBundles")
        return self._anchors(("", signer, shown), found)

    async def _synced(self) -> None:
        if not await self._bundles.synced():
            raise VolumeError("ClusterTrustBundle informer has not yet synced")

    def _anchors(self, asked: tuple[str, str, str], bundles: list[ClusterTrustBundle]) -> bytes:
        versions = [f"{one.metadata.uid}/{one.metadata.resourceVersion}" for one in bundles]
        before, known = self._ready.pop(asked, ([], b""))
        if versions != before:
            known = anchors((one.spec.trustBundle for one in bundles), self._salt)
        self._ready[asked] = versions, known
        if len(self._ready) > _REMEMBERED:
            del self._ready[next(iter(self._ready))]
        return known


def anchors(texts: Iterable[str], salt: bytes) -> bytes:
    """Every certificate of the texts once, in the order that `salt` gives them; nothing else that stands there."""
    found = {block.data for text in texts for block in blocks(text)}
    ordered = sorted(found, key=lambda data: hashlib.sha256(salt + data).digest())
    return b"".join(map(encoded, ordered))


class InformedTrustBundles:
    """`TrustBundles` as an informer knows them, which is started when the first pod asks."""

    def __init__(self, informer: Callable[[], Informer[ClusterTrustBundle]], clock: Clock) -> None:
        self._start = informer
        self._clock = clock
        self._informer: Informer[ClusterTrustBundle] | None = None

    async def synced(self) -> bool:
        """Whether the first list has come, within a short while."""
        informer = self._started()
        if not informer.has_synced:
            try:
                async with self._clock.timeout(_PATIENCE):
                    await informer.synced()
            except TimeoutError:
                return False
        return True

    def get(self, name: str) -> ClusterTrustBundle | None:
        """The bundle of this name."""
        return self._started().lister.get(Key("", name))

    def of_signer(self, signer: str) -> Iterable[ClusterTrustBundle]:
        """All bundles of a signer."""
        return self._started().lister.by_index("signer", signer)

    def _started(self) -> Informer[ClusterTrustBundle]:
        if self._informer is None:
            self._informer = self._start()
            self._informer.add_index("signer", lambda bundle: (bundle.spec.signerName,))
        return self._informer
