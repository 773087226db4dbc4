"""What policies leave in the audit event: values of their own, and which validation failed.

Source: apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
"""

import orjson

from pilothouse.apiserver.admission.dynamic.policies import Binding
from pilothouse.apiserver.exchange import Exchange

_LONGEST = 10 * 1024
"""Bytes of one value."""
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What Go writes otherwise within the strings of JSON."""
_ESCAPES = str.maketrans(_HTML)


class Notes:
    """The audit annotations of one policy: several bindings and parameters may have values for the same key."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, key: str, value: str) -> None:
        """Note a value once."""
        values = self._values.setdefault(key, [])
        value = value.encode()[:_LONGEST].decode(errors="ignore")
        if value not in values:
            values.append(value)

    def publish(self, policy: str, exchange: Exchange) -> None:
        """Leave the notes of a policy in the event; those of the next begin anew."""
        for key, values in self._values.items():
            exchange.annotate(f"{policy}/{key}", ", ".join(values))
        self._values = {}


def failure_note(binding: Binding, position: int, message: str) -> str:
    """Which validation failed, as JSON."""
    failure = {
        "message": message,
        "policy": binding.spec.get("policyName") or "",
        "binding": binding.name,
        "expressionIndex": position,
        "validationActions": binding.spec.get("validationActions") or [],
    }
    return orjson.dumps([failure]).decode().translate(_ESCAPES)
