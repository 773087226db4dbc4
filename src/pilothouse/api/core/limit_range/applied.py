"""What a LimitRange fills in: requests and limits that a pod's containers leave out.

An annotation tells which. Source: PodMutateLimitFunc in plugin/pkg/admission/limitranger/admission.go.
"""

from pilothouse.api.machinery.view import JsonObject

ANNOTATION = "kubernetes.io/limit-ranger"


def fill_in(pod: JsonObject, limit_range: JsonObject) -> None:
    """Write a LimitRange's defaults into a pod."""
    defaults = _defaults(limit_range)
    spec = pod.get("spec") or {}
    told: list[str] = []
    for field, word in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(field) or ():
            told += _fill_in_container(container, defaults, word)
    if told:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(told)}"


def _defaults(limit_range: JsonObject) -> dict[str, dict[str, str]]:
    """By `limits` and `requests`: the amounts that the items for containers state."""
    found: dict[str, dict[str, str]] = {"limits": {}, "requests": {}}
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            found["limits"].update(item.get("default") or {})
            found["requests"].update(item.get("defaultRequest") or {})
    return found


def _fill_in_container(container: JsonObject, defaults: dict[str, dict[str, str]], word: str) -> list[str]:
    told = []
    for kind, noun in (("requests", "request"), ("limits", "limit")):
        stated = (container.get("resources") or {}).get(kind) or {}
        missing = {name: amount for name, amount in sorted(defaults[kind].items()) if name not in stated}
        if missing:
            resources = container["resources"] = container.get("resources") or {}
            resources[kind] = {**stated, **missing}
            told.append(f"{', '.join(missing)} {noun} for {word} {container.get('name') or ''}")
    return told
