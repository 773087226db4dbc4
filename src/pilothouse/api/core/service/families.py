"""Which address families a Service has, and how many: KEP-563, dual-stack.

The API server calls `init_families` before it allocates addresses: afterwards `ipFamilies` says which to allocate.
Sources of the facts: pkg/registry/core/service/storage/alloc.go (families), pkg/apis/core/validation/validation.go.
"""

from collections.abc import Sequence

from pilothouse.api.core.service.questions import HEADLESS, is_headless, same
from pilothouse.api.machinery.addresses import IPV4, IPV6, family, ip
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.view import JsonObject

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_POLICIES = (PREFER, REQUIRE, SINGLE)
_FAMILIES = (IPV4, IPV6)
_POLICY_PATH = "spec.ipFamilyPolicy"


def init_families(obj: JsonObject, old: JsonObject | None, configured: Sequence[str], errors: FieldErrors) -> None:
    """Fill in `ipFamilyPolicy` and `ipFamilies` for a cluster whose Services have the families `configured`."""
    spec, stored = obj.setdefault("spec", {}), (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName" or (old is not None and _stays_preferred(spec, stored)):
        return
    selectorless = spec.get("clusterIP") == HEADLESS and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        spec["ipFamilyPolicy"] = stored.get("ipFamilyPolicy") or (REQUIRE if selectorless else SINGLE)
    before = len(errors)
    validate_addresses(spec, errors)
    if len(errors) > before:
        return
    if old is not None:
        _shrink(spec, stored, errors)
    _check_count(spec, errors)
    _infer(spec, configured, errors)
    if len(errors) > before:
        return
    if not selectorless:
        _check_configured(spec, configured, errors)
        if len(errors) > before:
            return
    if not spec.get("ipFamilies"):
        spec["ipFamilies"] = [configured[0]]
    if spec["ipFamilyPolicy"] != SINGLE and len(spec["ipFamilies"]) == 1 and (selectorless or len(configured) > 1):
        spec["ipFamilies"] = [spec["ipFamilies"][0], IPV6 if spec["ipFamilies"][0] == IPV4 else IPV4]


def _stays_preferred(spec: JsonObject, old: JsonObject) -> bool:
    """A Service that prefers two families is not changed because the cluster has changed."""
    policies = {spec.get("ipFamilyPolicy"), old.get("ipFamilyPolicy")}
    return policies == {PREFER} and same(spec, old, "clusterIP", "clusterIPs", "ipFamilies")


def _shrink(spec: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """`SingleStack` alone is clear enough an intent to give up the second family."""
    for name, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        items, stored = spec.get(name) or [], old.get(name) or []
        if spec["ipFamilyPolicy"] == SINGLE:
            if items == stored and len(items) > 1:
                spec[name] = items[:1]
        elif items and len(items) < len(stored):
            why = f"must be 'SingleStack' to release the secondary {what}"
            errors.invalid(_POLICY_PATH, spec["ipFamilyPolicy"], why)


def _check_count(spec: JsonObject, errors: FieldErrors) -> None:
    if spec["ipFamilyPolicy"] != SINGLE:
        return
    for name, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if len(spec.get(name) or ()) == 2:
            why = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            errors.invalid(_POLICY_PATH, spec["ipFamilyPolicy"], why)


def _infer(spec: JsonObject, configured: Sequence[str], errors: FieldErrors) -> None:
    addresses, families = spec.get("clusterIPs") or [], list(spec.get("ipFamilies") or [])
    for position, address in enumerate(addresses):
        if address == HEADLESS or position < len(families):
            continue
        if (found := family(address)) in configured:
            families.append(found)
        else:
            errors.invalid(index("spec.clusterIPs", position), addresses, f"{found} is not configured on this cluster")
    if families:
        spec["ipFamilies"] = families


def _check_configured(spec: JsonObject, configured: Sequence[str], errors: FieldErrors) -> None:
    if spec["ipFamilyPolicy"] == REQUIRE and len(configured) < 2:
        errors.invalid(_POLICY_PATH, REQUIRE, "this cluster is not configured for dual-stack services")
    for position, wanted in enumerate(spec.get("ipFamilies") or ()):
        if wanted not in configured:
            errors.invalid(index("spec.ipFamilies", position), wanted, "not configured on this cluster")


def validate_addresses(spec: JsonObject, errors: FieldErrors) -> None:
    """Cluster IPs, families and policy fit together; for all types but ExternalName."""
    single, addresses, families = spec.get("clusterIP"), spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    if single and not addresses:
        errors.required("spec.clusterIPs")
    elif single and addresses[0] != single:
        errors.invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    elif addresses and not single:
        errors.invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")
    again = set(repeats(families))
    for position, wanted in enumerate(families):
        if wanted not in _FAMILIES:
            errors.not_supported(index("spec.ipFamilies", position), wanted, _FAMILIES)
        if position in again:
            errors.duplicate(index("spec.ipFamilies", position), wanted)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.not_supported(_POLICY_PATH, policy, _POLICIES)
    good = _validate_each(addresses, errors)
    if len(addresses) > 2:
        errors.invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    if not good:
        return
    if len(addresses) > 1 and {family(address) for address in addresses} != set(_FAMILIES):
        errors.invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family")
    if not is_headless(spec):
        _validate_match(addresses, families, errors)


def _validate_each(addresses: Sequence[str], errors: FieldErrors) -> bool:
    good = True
    for position, address in enumerate(addresses):
        if position == 0 and address == HEADLESS:
            if len(addresses) > 1:
                good = False
                errors.invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
            continue
        for wrong in ip(address):
            good = False
            errors.invalid(index("spec.clusterIPs", position), address, wrong)
    return good


def _validate_match(addresses: Sequence[str], families: Sequence[str], errors: FieldErrors) -> None:
    for position, (address, wanted) in enumerate(zip(addresses, families, strict=False)):
        if wanted in _FAMILIES and family(address) != wanted:
            why = f"expected an {wanted} value as indicated by `ipFamilies[{position}]`"
            errors.invalid(index("spec.clusterIPs", position), address, why)
