"""What became of a claim: the devices that were allocated, who uses them, and what their drivers report.

Source of the facts: validateResourceClaimStatusUpdate and its relatives in pkg/apis/resource/validation/validation.go,
pkg/registry/resource/resourceclaim/strategy.go. *assumed*: how a device that is not allocated is shown.
"""

import ipaddress
from typing import Any

from pilothouse.api.core.pod.validation.scheduling import validate_node_selector
from pilothouse.api.machinery.addresses import cidr
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import label_key
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.identifiers import validate_driver, validate_label, validate_pool, validate_uid
from pilothouse.api.resource.lists import itself, validate_list, validate_set
from pilothouse.api.resource.requests import (
    MOST,
    Names,
    names_of,
    validate_configuration,
    validate_raw,
    validate_reference,
    validate_references,
)
from pilothouse.api.resource.taints import validate_toleration

_MOST_CONSUMERS = 256
_MOST_RESULTS = 32
_MOST_BINDING = 4
_MOST_CONDITIONS = 8
_MOST_ADDRESSES = 16
_LARGEST_DATA = 10 * 1024
_LONGEST = {"interfaceName": 256, "hardwareAddress": 128}
_ANY = 10**9
_SOURCES = ("FromClaim", "FromClass")
_NOT_ALLOCATED = "may not be specified when `allocated` is not set"
_NO_NEW = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
_OVERLAP = "bindingFailureConditions must not overlap with bindingConditions"
_ADDRESS = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"


def drop_lost_devices(obj: JsonObject, old: JsonObject) -> None:
    """What drivers reported of devices goes with the devices."""
    lost = _allocated(old) - _allocated(obj)
    devices = dig(obj, "status", "devices")
    if lost and devices:
        kept = [device for device in devices if _identity(device) not in lost]
        obj["status"].pop("devices")
        if kept:
            obj["status"]["devices"] = kept


def _allocated(claim: JsonObject) -> set[tuple[Any, ...]]:
    return {_identity(result) for result in dig(claim, "status", "allocation", "devices", "results") or ()}


def _identity(device: JsonObject) -> tuple[Any, ...]:
    return tuple(device.get(name) for name in ("driver", "pool", "device", "shareID"))


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Consumers use what is allocated; an allocation is taken back, not changed."""
    status, before = obj.get("status") or {}, old.get("status") or {}
    consumers, path = status.get("reservedFor") or [], "status.reservedFor"
    validate_set(consumers, _MOST_CONSUMERS, _validate_consumer, lambda item: item.get("uid") or "", errors, path)
    allocated = _allocated(obj)

    def device(item: JsonObject, errors: FieldErrors, path: str) -> None:
        _validate_report(item, allocated, errors, path)

    validate_set(status.get("devices"), _ANY, device, _shown, errors, "status.devices")
    allocation, stored = status.get("allocation"), before.get("allocation")
    if consumers and allocation is None:
        errors.forbidden(path, _NOT_ALLOCATED)
    elif dig(obj, "metadata", "deletionTimestamp"):
        known = before.get("reservedFor") or []
        if any(item not in known for item in consumers):
            errors.forbidden(path, _NO_NEW)
    if allocation is not None and stored is not None:
        validate_immutable(allocation, stored, errors, "status.allocation")
    elif allocation is not None:
        names = names_of(dig(obj, "spec", "devices") or {})
        _validate_allocation(allocation, names, errors, "status.allocation")


def _shown(device: JsonObject) -> str:
    return "/".join(part for part in _identity(device) if part)


def _validate_consumer(consumer: JsonObject, errors: FieldErrors, path: str) -> None:
    for name in ("resource", "name", "uid"):
        if not consumer.get(name):
            errors.required(at(path, name))


def _validate_allocation(allocation: JsonObject, names: Names, errors: FieldErrors, path: str) -> None:
    devices, where = allocation.get("devices") or {}, at(path, "devices")

    def result(item: JsonObject, errors: FieldErrors, path: str) -> None:
        _validate_result(item, names, errors, path)

    def configuration(item: JsonObject, errors: FieldErrors, path: str) -> None:
        source = item.get("source") or ""
        if not source:
            errors.required(at(path, "source"))
        elif source not in _SOURCES:
            errors.not_supported(at(path, "source"), source, _SOURCES)
        validate_references(item, names, errors, path)
        validate_configuration(item, errors, path)

    validate_list(devices.get("results"), _MOST_RESULTS, result, errors, at(where, "results"))
    validate_list(devices.get("config"), 2 * MOST, configuration, errors, at(where, "config"))
    if (selector := allocation.get("nodeSelector")) is not None:
        validate_node_selector(selector, errors, at(path, "nodeSelector"))


def _validate_result(result: JsonObject, names: Names, errors: FieldErrors, path: str) -> None:
    validate_reference(result.get("request") or "", names, errors, at(path, "request"))
    _validate_device(result, errors, path)
    validate_binding(result, errors, path)
    for position, toleration in enumerate(result.get("tolerations") or ()):
        validate_toleration(toleration, errors, index(at(path, "tolerations"), position))
    _validate_share(result, errors, path)


def _validate_device(item: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_driver(item.get("driver") or "", errors, at(path, "driver"))
    validate_pool(item.get("pool") or "", errors, at(path, "pool"))
    validate_label(item.get("device") or "", errors, at(path, "device"))


def _validate_share(item: JsonObject, errors: FieldErrors, path: str) -> None:
    if (share := item.get("shareID")) is not None:
        validate_uid(share, errors, at(path, "shareID"))


def validate_binding(item: JsonObject, errors: FieldErrors, path: str) -> None:
    """Conditions that must come true before a pod is bound, and those that end the waiting (KEP-5007)."""
    ready, failed = item.get("bindingConditions") or [], item.get("bindingFailureConditions") or []
    places = (("bindingConditions", ready), ("bindingFailureConditions", failed))
    for name, conditions in places:
        validate_list(conditions, _MOST_BINDING, _validate_condition_type, errors, at(path, name))
    for name, conditions in places:
        for position, condition in enumerate(conditions):
            where = index(at(path, name), position)
            if condition in conditions[:position]:
                errors.duplicate(where, condition)
            if conditions is failed and condition in ready:
                errors.invalid(where, condition, _OVERLAP)
    for name, other, missing in (("bindingConditions", "bindingFailureConditions", failed and not ready),
                                 ("bindingFailureConditions", "bindingConditions", ready and not failed)):  # fmt: skip
        if missing:
            errors.invalid(at(path, name), None, f"{name} are required to use {other}")


def _validate_condition_type(text: str, errors: FieldErrors, path: str) -> None:
    validate_text(text, label_key, errors, path)


def _validate_report(device: JsonObject, allocated: set[tuple[Any, ...]], errors: FieldErrors, path: str) -> None:
    _validate_device(device, errors, path)
    _validate_share(device, errors, path)
    if _identity(device) not in allocated:
        errors.invalid(path, _shown(device), "must be an allocated device in the claim")
    conditions, where = device.get("conditions") or [], at(path, "conditions")
    if len(conditions) > _MOST_CONDITIONS:
        errors.too_many(where, len(conditions), _MOST_CONDITIONS)
    validate_conditions(conditions, errors, where)
    if device.get("data") is not None:
        validate_raw(device["data"], _LARGEST_DATA, errors, at(path, "data"))
    if (network := device.get("networkData")) is not None:
        _validate_network(network, errors, at(path, "networkData"))


def _validate_network(network: JsonObject, errors: FieldErrors, path: str) -> None:
    for name, most in _LONGEST.items():
        if len((network.get(name) or "").encode()) > most:
            errors.too_long(at(path, name), most)
    validate_set(network.get("ips"), _MOST_ADDRESSES, _validate_address, itself, errors, at(path, "ips"))


def _validate_address(text: str, errors: FieldErrors, path: str) -> None:
    """An address and the length of its network's prefix, written canonically."""
    if cidr(text, strict=False):
        errors.invalid(path, text, _ADDRESS)
        return
    try:
        canonical = str(ipaddress.ip_interface(text))
    except ValueError:  # leading zeros
        head, _, length = text.partition("/")
        canonical = f"{'.'.join(str(int(part)) for part in head.split('.'))}/{int(length)}"
    if text != canonical:
        errors.invalid(path, text, f'must be in canonical form ("{canonical}")')
