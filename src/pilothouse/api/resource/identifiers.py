"""Names in dynamic resource allocation: of drivers, pools, devices and their attributes.

Source of the facts: pkg/apis/resource/validation/validation.go, pkg/apis/resource/types.go for the lengths.
"""

import re

from pilothouse.api.core.pod.validation.volumes import validate_csi_driver_name
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import c_identifier, dns_label, dns_subdomain
from pilothouse.api.machinery.text_rules import validate_text

_LONGEST_POOL = 253
_LONGEST_ID = 32
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTHS = (32, 36, 38, 45)
_NORMAL = (
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal "
    "characters"
)

validate_driver = validate_csi_driver_name
"""A driver is called as those of volumes are."""


def validate_label(text: str, errors: FieldErrors, path: str) -> None:
    """The name of a device, a request, a counter."""
    validate_text(text or "", dns_label, errors, path)


def validate_pool(name: str, errors: FieldErrors, path: str) -> None:
    """Subdomains with slashes between."""
    if not name:
        errors.required(path)
        return
    if len(name.encode()) > _LONGEST_POOL:
        errors.too_long(path, _LONGEST_POOL)
    for part in name.split("/", _LONGEST_POOL)[:_LONGEST_POOL]:  # a body of slashes would be a million findings
        validate_text(part, dns_subdomain, errors, path)


def validate_qualified(name: str, errors: FieldErrors, path: str) -> None:
    """An identifier of C, with or without a domain."""
    domain, slash, rest = name.partition("/")
    if "/" in rest:
        errors.invalid(path, name, "must not contain more than one slash")
        return
    if not slash:
        _validate_identifier(domain, errors, path)
        return
    if domain:
        validate_driver(domain, errors, path)
    else:
        errors.invalid(path, "", "the domain must not be empty")
    if rest:
        _validate_identifier(rest, errors, path)
    else:
        errors.invalid(path, "", "the name must not be empty")


def validate_fully_qualified(name: str, errors: FieldErrors, path: str) -> None:
    """The same, with a domain."""
    validate_qualified(name, errors, path)
    if "/" not in name:
        errors.invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash")


def _validate_identifier(text: str, errors: FieldErrors, path: str) -> None:
    if len(text.encode()) > _LONGEST_ID:
        errors.too_long(path, _LONGEST_ID)
    validate_text(text, c_identifier, errors, path)


def validate_uid(uid: str, errors: FieldErrors, path: str) -> None:
    """A UUID in its normal form."""
    if _UUID.fullmatch(uid):
        if uid != uid.lower():
            errors.invalid(path, uid, _NORMAL)
    elif len(uid) in _UUID_LENGTHS:
        errors.invalid(path, uid, "error validating uid: invalid UUID format")
    else:
        errors.invalid(path, uid, f"error validating uid: invalid UUID length: {len(uid)}")
