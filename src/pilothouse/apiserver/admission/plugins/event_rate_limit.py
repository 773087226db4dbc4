"""EventRateLimit: no flood of events. Off by default; its limits come from the admission configuration.

Each limit is a bucket of tokens for the server, or one for each namespace, user, or source and object. Of the latter as
many are kept as the configuration says, those last used. Source: plugin/pkg/admission/eventratelimit.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pilothouse.api.machinery.errors import TooManyRequests
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.rate_limit import TokenBucket

_API_VERSION = "eventratelimit.admission.k8s.io/v1alpha1"
_CACHE_SIZE = 4096


class EventRateLimit(Admission):
    """Upstream's plugin of this name."""

    name = "EventRateLimit"
    default = False
    order = 75

    def configure(self, configuration: JsonObject | None) -> None:
        """Take on the limits. Raises ValueError for what is no configuration, or none at all."""
        configuration = configuration or {}
        kind = (configuration.get("apiVersion"), configuration.get("kind"))
        if configuration and kind != (_API_VERSION, "Configuration"):
            raise ValueError(f"EventRateLimit: it is {kind[0]} {kind[1]}, not {_API_VERSION} Configuration")
        limits = configuration.get("limits") or []
        wrong = _validate(limits)
        if wrong:
            raise ValueError(f"EventRateLimit: {'; '.join(str(error) for error in wrong)}")
        self._limits = [_Limit(limit, self.clock) for limit in limits]

    async def validate(self, write: Write) -> None:
        """Refuse an event that is too many. Every limit counts it, whatever the others say."""
        if write.resource.qualified_name != "events" or write.part or write.dry_run:
            return
        if write.operation not in (Operation.CREATE, Operation.UPDATE):
            return
        refusals = [refusal for limit in self._limits if (refusal := limit.refusal(write))]
        if refusals:
            raise TooManyRequests(f"Too many requests: {refusals[-1]}")


class _Limit:
    """One limit at work."""

    def __init__(self, limit: JsonObject, clock: Clock) -> None:
        self._type: str = limit["type"]
        self._rate, self._burst = float(limit["qps"]), int(limit["burst"])
        self._most = limit.get("cacheSize") or _CACHE_SIZE
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def refusal(self, write: Write) -> str:
        """Why an event is too many; empty where it is not."""
        key = _KEYS[self._type](write)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, self._clock)
        self._buckets.move_to_end(key)
        return "" if bucket.take() else f"limit reached on type {self._type} for key {key}"


def _source_and_object(write: Write) -> str:
    event = write.new or {}
    source, about = event.get("source") or {}, event.get("involvedObject") or {}
    parts = [source.get(field) for field in ("component", "host")]
    parts += [about.get(field) for field in ("kind", "namespace", "name", "uid", "apiVersion")]
    return "".join(part or "" for part in parts)


_KEYS: dict[str, Callable[[Write], str]] = {
    "Server": lambda _: "",
    "Namespace": lambda write: write.namespace,
    "User": lambda write: write.exchange.user.name,
    "SourceAndObject": _source_and_object,
}


def _validate(limits: Any) -> FieldErrors:
    wrong = FieldErrors()
    if not isinstance(limits, list) or not all(isinstance(limit, dict) for limit in limits):
        wrong.type_invalid("limits", limits, "must be a list of limits")
        return wrong
    if not limits:
        wrong.invalid("limits", limits, "must not be empty")
    for position, limit in enumerate(limits):
        path = f"limits[{position}]"
        if limit.get("type") not in _KEYS:
            wrong.not_supported(f"{path}.type", limit.get("type"), sorted(_KEYS))
        for field in ("burst", "qps"):
            if (limit.get(field) or 0) <= 0:
                wrong.invalid(f"{path}.{field}", limit.get(field) or 0, "must be positive")
        if limit.get("type") != "Server" and (limit.get("cacheSize") or 0) < 0:
            wrong.invalid(f"{path}.cacheSize", limit["cacheSize"], "must not be negative")
    return wrong
