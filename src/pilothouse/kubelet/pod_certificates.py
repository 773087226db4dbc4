"""Certificates for pods: a key is made here, a signer certifies it, and both are renewed before they run out.

One for each `podCertificate` source of a volume. What is known is lost with the kubelet: the next one asks anew. A
renewal shows nothing before it has succeeded, and then key and chain at once. Source of the facts:
pkg/kubelet/podcertificate; KEP-4317.
"""

import asyncio
from dataclasses import dataclass

from pilothouse.api.certificates.pem import blocks, encoded
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.field import quote
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.api.types.core_v1 import Pod, PodCertificateProjection
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.certificate_keys import new_key
from pilothouse.kubelet.certificate_requests import ENDS, CertificateRequests
from pilothouse.kubelet.credentials import Credentials
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
_GIVEN_UP = 600.0
"""Seconds after which a request that is not seen must have been deleted."""
_OVERDUE = 600.0
_JITTER = 300.0
_WORDS = {"Denied": ("was denied", "permanently denied"), "Failed": ("failed", "permanently failed")}
"""Of an end: what the event says, and what the volume."""


@dataclass(frozen=True, slots=True)
class _Asked:
    key: bytes
    name: str
    give_up_at: Instant


@dataclass(slots=True)
class _Issued:
    credentials: Credentials
    refresh_at: Instant
    ends_at: Instant
    told_overdue: bool = False
    told_end: bool = False


@dataclass(slots=True)
class _Held:
    """What is known of one source."""

    asked: _Asked | None = None
    issued: _Issued | None = None
    refused: str = ""


class PodCertificates:
    """The certificates of the node's pods, by pod, volume and place in it."""

    def __init__(self, requests: CertificateRequests, recorder: Recorder, clock: Clock, chance: Chance) -> None:
        self._requests = requests
        self._recorder = recorder
        self._clock = clock
        self._chance = chance
        self._held: dict[tuple[str, str, int], _Held] = {}

    async def credentials(self, pod: Pod, wanted: PodCertificateProjection, volume: str, position: int) -> Credentials:
        """Key and certificates that are good for a while. Raises VolumeError."""
        held = self._held.setdefault((pod.metadata.uid, volume, position), _Held())
        if held.asked is None and not held.refused and self._is_due(held):
            await self._ask(pod, wanted, held)
        if held.asked is not None:
            await self._look(pod, held, held.asked)
        if held.refused:
            raise VolumeError(held.refused)
        if held.issued is None:
            raise VolumeError("credential bundle is not issued yet")
        self._warn(pod, held.issued)
        return held.issued.credentials

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        for key in [key for key in self._held if key[0] == uid]:
            del self._held[key]

    def _is_due(self, held: _Held) -> bool:
        return held.issued is None or self._clock.now() >= held.issued.refresh_at

    async def _ask(self, pod: Pod, wanted: PodCertificateProjection, held: _Held) -> None:
        try:
            fresh = await asyncio.to_thread(new_key, wanted.keyType)
            spec: JsonObject = {"signerName": wanted.signerName, "stubPKCS10Request": fresh.request}
            if wanted.maxExpirationSeconds is not None:
                spec["maxExpirationSeconds"] = wanted.maxExpirationSeconds
            if wanted.userAnnotations:
                spec["unverifiedUserAnnotations"] = dict(wanted.userAnnotations)
            made = await self._requests.make(pod, spec)
        except (StatusError, ValueError) as error:
            meta = pod.metadata
            log.warning("Couldn't ask for a certificate", pod=f"{meta.namespace}/{meta.name}", err=str(error))
            return
        held.asked = _Asked(fresh.key, made.metadata.name, self._clock.now() + _GIVEN_UP + self._jitter())

    async def _look(self, pod: Pod, held: _Held, asked: _Asked) -> None:
        """See what has become of the request. Nobody waits for a renewal."""
        namespace = pod.metadata.namespace
        if held.issued is None:
            found = await self._requests.ended(namespace, asked.name)
        else:
            found = self._requests.known(namespace, asked.name)
        if found is None:
            if self._clock.now() > asked.give_up_at:
                held.asked = None
            return
        end = next((one for one in found.status.conditions if one.type in ENDS), None)
        if end is None:
            return
        held.asked = None
        if end.type == "Issued":
            held.issued = self._issued(asked, found)
            return
        told, shown = _WORDS[end.type]
        why = quote(end.reason), quote(end.message)
        message = f"PodCertificateRequest {namespace}/{asked.name} {told}, reason={why[0]}, message={why[1]}"
        self._recorder.event(reference(pod), "Warning", end.type, message)
        held.refused = f"PodCertificateRequest was {shown}: reason={why[0]} message={why[1]}"

    def _issued(self, asked: _Asked, found: PodCertificateRequest) -> _Issued:
        status, now = found.status, self._clock.now()
        chain = b"".join(encoded(block.data) for block in blocks(status.certificateChain))
        refresh = now if status.beginRefreshAt is None else status.beginRefreshAt
        ends = now if status.notAfter is None else status.notAfter
        return _Issued(Credentials(asked.key, chain), refresh + self._jitter(), ends)

    def _warn(self, pod: Pod, issued: _Issued) -> None:
        """Say, once each, that a renewal does not come."""
        now = self._clock.now()
        if now > issued.refresh_at + _OVERDUE and not issued.told_overdue:
            issued.told_overdue = True
            self._recorder.event(
                reference(pod), "Warning", "CertificateOverdueForRefresh", "PodCertificate refresh overdue"
            )
        if now > issued.ends_at and not issued.told_end:
            issued.told_end = True
            self._recorder.event(reference(pod), "Warning", "CertificateExpired", "PodCertificate expired")

    def _jitter(self) -> float:
        return self._chance.uniform(0.0, _JITTER)
