"""What each of the paths to a CertificateSigningRequest leaves alone, and what the server notes in it.

Source of the facts: pkg/registry/certificates/certificates/strategy.go.
"""

from typing import Any

from pilothouse.api.certificates.certificate_signing_request.validation import APPROVED, DENIED, instances
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.resource import Stamp
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import format_time

_AUTHOR = ("username", "uid", "groups", "extra")


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The object itself changes metadata alone."""
    obj["spec"] = old.get("spec") or {}
    keep_status(obj, old)


def prepare_for_approval(obj: JsonObject, old: JsonObject) -> None:
    """Conditions alone."""
    obj["spec"] = old.get("spec") or {}
    status, conditions = dict(old.get("status") or {}), dig(obj, "status", "conditions")
    status.pop("conditions", None)
    obj["status"] = status | ({"conditions": conditions} if conditions else {})


def prepare_for_status(obj: JsonObject, old: JsonObject) -> None:
    """No spec; approvals and denials stay as they are, where there are as many as before."""
    obj["spec"] = old.get("spec") or {}
    conditions = dig(obj, "status", "conditions") or []
    for kind in (APPROVED, DENIED):
        stored = instances(old, kind)
        places = [position for position, found in enumerate(conditions) if found.get("type") == kind]
        if len(places) == len(stored):
            for position, condition in zip(places, stored, strict=True):
                conditions[position] = condition


def stamp(obj: JsonObject, old: JsonObject | None, by: Stamp) -> None:
    """Who asks, and since when each condition is as it is."""
    if old is None:
        spec = obj.setdefault("spec", {})
        for name in _AUTHOR:
            spec.pop(name, None)
        found = {
            "username": by.username,
            "uid": by.uid,
            "groups": list(by.groups),
            "extra": {key: list(values) for key, values in by.extra.items()},
        }
        spec.update({name: value for name, value in found.items() if value})
        return
    now = format_time(by.now)
    for condition in dig(obj, "status", "conditions") or ():
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        if not condition.get("lastTransitionTime"):
            condition["lastTransitionTime"] = _transition(condition, old) or now


def _transition(condition: JsonObject, old: JsonObject) -> Any:
    """Since when the stored condition has this status."""
    stored = instances(old, condition.get("type") or "")
    same = (found for found in stored if found.get("status") == condition.get("status"))
    return next((found.get("lastTransitionTime") for found in same), None)
