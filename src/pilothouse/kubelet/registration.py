"""What a node registers with, written as upstream's flags have it: labels that kubelets may set, and taints.

Source: cmd/kubelet/app/options/options.go, pkg/util/taints, KEP-279.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.names import label_key, label_value
from pilothouse.api.machinery.view import JsonObject

_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KEYS = (
    "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "kubernetes.io/arch",
    "kubernetes.io/hostname", "kubernetes.io/os", "node.kubernetes.io/instance-type", "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
)  # fmt: skip
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def parse_labels(text: str) -> dict[str, str]:
    """Labels of `a=b,c=d`. Raises ValueError for those that are not a kubelet's to set."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition("=")
        found[key.strip()] = value.strip()
    if why := refusal(found):
        raise ValueError(why)
    return found


def refusal(labels: Mapping[str, str]) -> str:
    """Why a node may not register with these; empty when it may."""
    foreign = sorted(key for key in labels if _is_reserved(key))
    if foreign:
        return (
            f"unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [{' '.join(foreign)}]\n"
            f"--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix "
            f"({', '.join(_DOMAINS)}) or be in the specifically allowed set ({', '.join(_KEYS)})"
        )
    wrong: dict[str, list[str]] = {}
    for key, value in labels.items():
        for text, problems in ((key, label_key(key)), (value, label_value(value))):
            if problems:
                wrong.setdefault(text, []).extend(problems)
    told = "; ".join(f"'{text}' - {', '.join(problems)}" for text, problems in wrong.items())
    return f"invalid node labels: {told}" if told else ""


def _is_reserved(key: str) -> bool:
    """A label of Kubernetes' own that kubelets may not set."""
    domain = key.partition("/")[0] if "/" in key else ""
    return _within(domain, ("kubernetes.io", "k8s.io")) and key not in _KEYS and not _within(domain, _DOMAINS)


def _within(domain: str, roots: tuple[str, ...]) -> bool:
    return any(domain == root or domain.endswith(f".{root}") for root in roots)


def parse_taints(text: str) -> list[JsonObject]:
    """Taints of `key=value:effect,key:effect`. Raises ValueError."""
    found: list[JsonObject] = []
    for spec in filter(None, text.split(",")):
        taint = _taint(spec)
        if any((taint["key"], taint["effect"]) == (other["key"], other["effect"]) for other in found):
            raise ValueError(f"duplicated taints with the same key and effect: {spec}")
        found.append(taint)
    return found


def _taint(spec: str) -> JsonObject:
    name, colon, effect = spec.partition(":")
    key, equals, value = name.partition("=")
    if not colon or ":" in effect or "=" in value or not effect:
        raise ValueError(f"invalid taint spec: {spec}")
    if effect not in _EFFECTS:
        raise ValueError(f"invalid taint effect: {effect}, unsupported taint effect")
    if problems := [*label_key(key), *label_value(value)]:
        raise ValueError(f"invalid taint spec: {spec}, {'; '.join(problems)}")
    return {"key": key, **({"value": value} if equals else {}), "effect": effect}
