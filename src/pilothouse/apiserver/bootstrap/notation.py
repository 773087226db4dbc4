"""Notation: RBAC rules of the default roles, a line each, so that a table of them fits a page.

`verbs : resources @ groups = names`, each part separated by commas; `core` is the group without a name. A line without
`@` is about paths. `read` and `write` stand for the verbs that upstream's tables repeat.
"""

from pilothouse.api.machinery.view import JsonObject

_WORDS = {"read": ("get", "list", "watch"), "write": ("create", "delete", "deletecollection", "patch", "update")}
EVENTS = "create,patch,update : events @ core,events.k8s.io"


def rule(line: str) -> JsonObject:
    """The PolicyRule that a line stands for."""
    verbs, _, rest = line.partition(" : ")
    spelled = [verb for word in verbs.split(",") for verb in _WORDS.get(word, (word,))]
    if " @ " not in rest:
        return {"verbs": spelled, "nonResourceURLs": rest.split(",")}
    resources, _, where = rest.partition(" @ ")
    groups, _, names = where.partition(" = ")
    made: JsonObject = {
        "verbs": spelled,
        "apiGroups": ["" if group == "core" else group for group in groups.split(",")],
        "resources": resources.split(","),
    }
    if names:
        made["resourceNames"] = names.split(",")
    return made


def rules(*lines: str) -> list[JsonObject]:
    """The rules of several lines."""
    return [rule(line) for line in lines]
