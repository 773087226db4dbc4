from typing import Any

from fakes.admission import kinds, write
from fakes.served import schemas
from pilothouse.apiserver.admission.dynamic.policies import Policies
from pilothouse.apiserver.registry.record import storage_key
from pilothouse.apiserver.registry.served import Served
from pilothouse.store.interface import Record

GROUP = "admissionregistration.k8s.io"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}


class Kept:
    """Policies in the watch cache of a server."""

    def __init__(self) -> None:
        self.served: Served = kinds(schemas())
        self.compiled: list[str] = []
        self.policies = Policies(self.served, "validating", self._compile)
        self._revision = 0

    def _compile(self, policy: dict[str, Any]) -> str:
        name: str = policy["metadata"]["name"]
        self.compiled.append(name)
        return name

    def put(self, plural: str, name: str, spec: dict[str, Any] | None) -> None:
        """Write, or take away."""
        cache = self.served.cache.of(GROUP, plural)
        self._revision += 1
        key = storage_key(cache.resource, "", name)
        record = Record(key, b"{}", self._revision, self._revision) if spec is not None else None
        obj = {"metadata": {"name": name}, "spec": spec} if spec is not None else None
        cache.apply(key, self._revision, record, obj)

    def policy(self, name: str, *, of: str = "configmaps") -> None:
        rules = [{**RULE, "resources": [of]}]
        self.put("validatingadmissionpolicies", name, {"matchConstraints": {"resourceRules": rules}})

    def bind(self, name: str, policy: str) -> None:
        self.put("validatingadmissionpolicybindings", name, {"policyName": policy})

    def found(self, what: str = "/v1/configmaps", operation: str = "CREATE") -> list[tuple[str, list[str]]]:
        """The policies that a write may concern, and their bindings."""
        hooks = self.policies.concerned(write(what, operation, {}))
        return [(hook.policy.compiled, [binding.name for binding in hook.bindings]) for hook in hooks]


def test_bound_policies_come_in_the_order_of_their_names() -> None:
    kept = Kept()
    for name in ("b", "a", "unbound"):
        kept.policy(name)
    for name, policy in (("2", "b"), ("1", "b"), ("3", "a"), ("4", "missing")):
        kept.bind(name, policy)
    assert kept.found() == [("a", ["3"]), ("b", ["1", "2"])]


def test_only_those_whose_rules_speak_of_the_write() -> None:
    kept = Kept()
    kept.policy("p")
    kept.bind("b", "p")
    assert kept.found("/v1/secrets") == []
    assert kept.found(operation="UPDATE") == []
    assert kept.found() == [("p", ["b"])]
    kept.put("validatingadmissionpolicybindings", "b", None)
    assert kept.found() == []


def test_no_policy_is_about_policies() -> None:
    kept = Kept()
    kept.policy("p", of="*")
    kept.bind("b", "p")
    assert kept.found(f"{GROUP}/v1/validatingadmissionpolicies") == []


def test_a_policy_is_compiled_when_it_is_met_and_when_it_has_changed() -> None:
    kept = Kept()
    kept.policy("p")
    kept.bind("b", "p")
    assert kept.compiled == []
    kept.found()
    kept.bind("c", "p")
    kept.found()
    assert kept.compiled == ["p"]
    kept.policy("p")
    kept.found()
    assert kept.compiled == ["p", "p"]
    kept.put("validatingadmissionpolicies", "p", None)
    assert kept.found() == []
