"""Rules for what tells the scheduler where a pod may run: selectors, affinity, tolerations, spreading, gates."""

from typing import Any

from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns_label, dns_subdomain, label_key, label_value
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.view import JsonObject

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NOT_POSITIVE = "must be greater than zero"


def validate_tolerations(tolerations: list[JsonObject], errors: FieldErrors, path: str) -> None:
    """Each names a taint, or all of them."""
    for position, toleration in enumerate(tolerations):
        where = index(path, position)
        key, operator, value, effect = (toleration.get(name) or "" for name in ("key", "operator", "value", "effect"))
        for wrong in label_key(key) if key else ():
            errors.invalid(at(where, "key"), key, wrong)
        if not key and operator != "Exists":
            words = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.invalid(at(where, "operator"), operator, words)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            words = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.invalid(at(where, "effect"), effect, words)
        if operator in ("", "Equal"):
            if wrongs := label_value(value):
                errors.invalid(at(where, "operator"), value, ";".join(wrongs))
        elif operator == "Exists":
            if value:
                errors.invalid(at(where, "operator"), value, "value must be empty when `operator` is 'Exists'")
        else:
            errors.not_supported(at(where, "operator"), operator, ("Equal", "Exists"))
        if effect and effect not in TAINT_EFFECTS:
            errors.not_supported(at(where, "effect"), effect, TAINT_EFFECTS)


def validate_affinity(affinity: JsonObject, errors: FieldErrors, path: str) -> None:
    """Affinity to nodes, and to or against other pods."""
    if (node := affinity.get("nodeAffinity")) is not None:
        where = at(path, "nodeAffinity")
        if (selector := node.get(_REQUIRED)) is not None:
            validate_node_selector(selector, errors, at(where, _REQUIRED))
        for position, term in enumerate(node.get(_PREFERRED) or ()):
            term_path = index(at(where, _PREFERRED), position)
            _validate_weight(term, errors, term_path)
            # A preference that no label can have is let through: it only never counts.
            preference = term.get("preference") or {}
            validate_node_selector_term(preference, errors, at(term_path, "preference"), any_value=True)
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind)
        if rules is None:
            continue
        for position, term in enumerate(rules.get(_REQUIRED) or ()):
            _validate_affinity_term(term, errors, f"{path}.{kind}.{_REQUIRED}[{position}]")
        for position, weighted in enumerate(rules.get(_PREFERRED) or ()):
            where = f"{path}.{kind}.{_PREFERRED}[{position}]"
            _validate_weight(weighted, errors, where)
            _validate_affinity_term(weighted.get("podAffinityTerm") or {}, errors, at(where, "podAffinityTerm"))


def _validate_weight(term: JsonObject, errors: FieldErrors, path: str) -> None:
    weight = term.get("weight") or 0
    if not 0 < weight <= 100:
        errors.invalid(at(path, "weight"), weight, "must be in the range 1-100")


def validate_node_selector(selector: JsonObject, errors: FieldErrors, path: str) -> None:
    """Terms, of which one must match."""
    terms = selector.get("nodeSelectorTerms") or ()
    where = at(path, "nodeSelectorTerms")
    if not terms:
        errors.required(where, "must have at least one node selector term")
    for position, term in enumerate(terms):
        validate_node_selector_term(term, errors, index(where, position))


def validate_node_selector_term(term: JsonObject, errors: FieldErrors, path: str, *, any_value: bool = False) -> None:
    """Requirements on a node's labels and name, which must all hold."""
    for position, requirement in enumerate(term.get("matchExpressions") or ()):
        _validate_node_labels(requirement, errors, f"{path}.matchExpressions[{position}]", any_value=any_value)
    for position, requirement in enumerate(term.get("matchFields") or ()):
        _validate_node_field(requirement, errors, f"{path}.matchFields[{position}]")


def _validate_node_labels(requirement: JsonObject, errors: FieldErrors, path: str, *, any_value: bool) -> None:
    operator, values, key = requirement.get("operator") or "", requirement.get("values") or (), requirement.get("key")
    where = at(path, "values")
    match operator:
        case "In" | "NotIn":
            if not values:
                errors.required(where, "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                errors.forbidden(where, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        case "Gt" | "Lt":
            if len(values) != 1:
                errors.required(where, "must be specified single value when `operator` is 'Lt' or 'Gt'")
        case _:
            errors.invalid(at(path, "operator"), operator, "not a valid selector operator")
    for wrong in label_key(key or ""):
        errors.invalid(at(path, "key"), key or "", wrong)
    if not any_value:
        for position, value in enumerate(values):
            for wrong in label_value(value):
                errors.invalid(index(where, position), value, wrong)


def _validate_node_field(requirement: JsonObject, errors: FieldErrors, path: str) -> None:
    operator, values, key = requirement.get("operator") or "", requirement.get("values") or (), requirement.get("key")
    if operator not in ("In", "NotIn"):
        errors.invalid(at(path, "operator"), operator, "not a valid selector operator")
    elif len(values) != 1:
        words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.required(at(path, "values"), words)
    if key != "metadata.name":
        errors.invalid(at(path, "key"), key or "", "not a valid field selector key")
        return
    for position, value in enumerate(values):
        for wrong in dns_subdomain(value):
            errors.invalid(f"{path}.values[{position}]", value, wrong)


def _validate_affinity_term(term: JsonObject, errors: FieldErrors, path: str) -> None:
    selector, key = term.get("labelSelector"), term.get("topologyKey") or ""
    validate_label_selector(selector, errors, at(path, "labelSelector"))
    validate_label_selector(term.get("namespaceSelector"), errors, at(path, "namespaceSelector"))
    for name in term.get("namespaces") or ():
        for wrong in dns_label(name):
            errors.invalid(at(path, "namespace"), name, wrong)
    _validate_label_keys(term, selector, errors, path)
    if not key:
        errors.required(at(path, "topologyKey"), "can not be empty")
    for wrong in label_key(key):
        errors.invalid(at(path, "topologyKey"), key, wrong)


def _validate_label_keys(term: JsonObject, selector: Any, errors: FieldErrors, path: str) -> None:
    matching, mismatching = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    for name, keys in (("matchLabelKeys", matching), ("mismatchLabelKeys", mismatching)):
        if keys and selector is None:
            errors.forbidden(at(path, name), "must not be specified when labelSelector is not set")
            continue
        for position, key in enumerate(keys):
            for wrong in label_key(key):
                errors.invalid(f"{path}.{name}[{position}]", key, wrong)
    positions = {key: position for position, key in reversed(list(enumerate(matching)))}
    if selector is not None and matching:
        # The key's own requirement was added at creation; a second one is the author's.
        seen = set(selector.get("matchLabels") or ())
        for expression in selector.get("matchExpressions") or ():
            key = expression.get("key")
            if key in seen and key in positions:
                words = "exists in both matchLabelKeys and labelSelector"
                errors.invalid(index(path, positions[key]), key, words)
            seen.add(key)
    others = frozenset(mismatching)
    for position, key in enumerate(matching):
        if key in others:
            words = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors.invalid(f"{path}.matchLabelKeys[{position}]", key, words)


def validate_topology_spread(constraints: list[JsonObject], errors: FieldErrors, path: str) -> None:
    """How evenly pods spread over zones, racks or nodes."""
    pairs = [(item.get("topologyKey") or "", item.get("whenUnsatisfiable") or "") for item in constraints]
    last = {pair: position for position, pair in enumerate(pairs)}
    for position, constraint in enumerate(constraints):
        where, (key, action) = index(path, position), pairs[position]
        skew, domains = constraint.get("maxSkew") or 0, constraint.get("minDomains")
        if skew <= 0:
            errors.invalid(at(where, "maxSkew"), skew, NOT_POSITIVE)
        if not key:
            errors.required(at(where, "topologyKey"), "can not be empty")
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            errors.not_supported(at(where, "whenUnsatisfiable"), action, ("DoNotSchedule", "ScheduleAnyway"))
        if last[key, action] > position:
            errors.duplicate(at(where, "{topologyKey, whenUnsatisfiable}"), f"{{{key}, {action}}}")
        if domains is not None and domains <= 0:
            errors.invalid(at(where, "minDomains"), domains, NOT_POSITIVE)
        if domains is not None and action != "DoNotSchedule":
            words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            errors.invalid(at(where, "minDomains"), domains, words)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(name)
            if policy is not None and policy not in ("Honor", "Ignore"):
                errors.not_supported(at(where, name), policy, ("Honor", "Ignore"))
        _validate_spread_keys(constraint, errors, at(where, "matchLabelKeys"))
        validate_label_selector(constraint.get("labelSelector"), errors, at(where, "labelSelector"))


def _validate_spread_keys(constraint: JsonObject, errors: FieldErrors, path: str) -> None:
    keys, selector = constraint.get("matchLabelKeys") or (), constraint.get("labelSelector")
    if not keys:
        return
    if selector is None:
        errors.forbidden(path, "must not be specified when labelSelector is not set")
    seen = set((selector or {}).get("matchLabels") or ())
    positions = {key: position for position, key in reversed(list(enumerate(keys)))}
    for position, key in enumerate(keys):
        for wrong in label_key(key):
            errors.invalid(index(path, position), key, wrong)
    for expression in (selector or {}).get("matchExpressions") or ():
        key = expression.get("key")
        if key in positions and key in seen:
            words = "exists in both matchLabelKeys and labelSelector"
            errors.invalid(index(path, positions[key]), key, words)
        seen.add(key)


def validate_gates(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """What must happen before the pod is ready, and before it is scheduled."""
    for position, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType") or ""
        for wrong in label_key(kind):
            errors.invalid(f"{path}.readinessGates[{position}].conditionType", kind, wrong)
    seen: set[str] = set()
    for position, gate in enumerate(spec.get("schedulingGates") or ()):
        name, where = gate.get("name") or "", f"{path}.schedulingGates[{position}]"
        for wrong in label_key(name):
            errors.invalid(where, name, wrong)
        if name in seen:
            errors.duplicate(where, name)
        seen.add(name)
