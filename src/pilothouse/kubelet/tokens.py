"""Service account tokens for pods: asked for when a volume needs one, and again before they run out.

A token is replaced when a fifth of its life is left, or after a day; where that fails, the old one serves as long as it
is good. API page: "Managing Service Accounts", on bound tokens.
"""

from dataclasses import dataclass

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.api import Objects
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
DEFAULT_SECONDS = 3600
_FRESH_SHARE = 0.8
_LONGEST = 86_400.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and for how long it is good."""

    text: str
    renew_at: Instant
    ends_at: Instant


class Tokens:
    """The tokens of the node's pods, by pod and audience."""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock
        self._known: dict[tuple[str, str, int], Token] = {}

    async def get(self, pod: Pod, audience: str, seconds: int) -> str:
        """A token that is good for a while. Raises StatusError when there is none at all."""
        return (await self.dated(pod, audience, seconds)).text

    async def dated(self, pod: Pod, audience: str, seconds: int) -> Token:
        """The same, with its end."""
        meta = pod.metadata
        key = (meta.uid, audience, seconds)
        known, now = self._known.get(key), self._clock.now()
        if known is not None and now < known.renew_at:
            return known
        request: JsonObject = {
            "expirationSeconds": seconds,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid},
        }
        if audience:
            request["audiences"] = [audience]
        try:
            answer = await self._objects.token(pod, request)
        except StatusError as error:
            if known is None or now >= known.ends_at:
                raise
            log.warning("Couldn't update token", pod=f"{meta.namespace}/{meta.name}", err=error.message)
            return known
        ends = answer.status.expirationTimestamp
        life = (ends - now) if ends is not None else float(seconds)
        fresh = Token(answer.status.token, now + min(life * _FRESH_SHARE, _LONGEST), now + life)
        self._known[key] = fresh
        return fresh

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        for key in [key for key in self._known if key[0] == uid]:
            del self._known[key]
