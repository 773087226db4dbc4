"""Stage: stamp. What makes an object this one and no other: generated name, uid, creation time, on creation only.

Upstream fills these in before defaulting and admission (registry/rest/{create,meta}.go), so that both see them.
"""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, format_time

_LONGEST_PREFIX = 58
"""Characters of a generateName that are used; 63 with the suffix."""
_SERVER_OWNED = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def stamp_new(obj: JsonObject, clock: Clock, chance: Chance) -> None:
    """Give a new object its identity."""
    metadata = obj["metadata"]
    for name in _SERVER_OWNED:
        metadata.pop(name, None)
    metadata["uid"] = chance.uid()
    metadata["creationTimestamp"] = format_time(clock.now())
    if not metadata.get("name") and (prefix := metadata.get("generateName")):
        metadata["name"] = f"{prefix[:_LONGEST_PREFIX]}{chance.suffix()}"


def keep_identity(obj: JsonObject, old: JsonObject) -> None:
    """Give the new form of an object the identity of the stored one, whatever the writer sent."""
    metadata, before = obj["metadata"], old["metadata"]
    for name in _KEPT:
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    metadata.pop("selfLink", None)
    if "generateName" not in metadata and "generateName" in before:
        metadata["generateName"] = before["generateName"]
