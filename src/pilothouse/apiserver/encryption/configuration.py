"""EncryptionConfiguration (apiserver.config.k8s.io/v1): which resources are encrypted, and with what.

Source: apiserver/pkg/apis/apiserver/validation/validation_encryption.go and server/options/encryptionconfig, whose
refusals these are.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.apiserver.encryption.framework import ANY, ENCRYPTED, Cipher, Coat, Encryption, Wardrobe
from pilothouse.runtime.units import subclasses

_GROUP, _KIND = "apiserver.config.k8s.io/v1", "EncryptionConfiguration"
_INTERNAL = ("apiserveripinfo", "serviceipallocations", "servicenodeportallocations")
_NO_PROVIDER = (
    "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity"
)  # fmt: skip
_MASKED = (
    "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be "
    "masked"
)
CIPHERS: Mapping[str, type[Cipher]] = {
    cipher.name: cipher
    for cipher in subclasses(Cipher, f"{__package__}.ciphers")  # type: ignore[type-abstract]
}


class ConfigurationError(Exception):
    """The file cannot be used; the message says why."""


def read_configuration(text: str) -> Encryption:
    """What a configuration file says. Raises ConfigurationError."""
    try:
        document = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"it is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationError("it is empty" if document is None else "it is not an object")
    kind = f"{document.get('apiVersion')}, Kind={document.get('kind')}"
    if kind != f"{_GROUP}, Kind={_KIND}":
        raise ConfigurationError(f"got unexpected config type: {kind}")
    try:
        wrong = validate(document)
    except (TypeError, AttributeError) as error:
        raise ConfigurationError(f"it has not the form of an {_KIND}: {error}") from None
    if wrong:
        raise ConfigurationError("; ".join(map(str, wrong)))
    return Encryption(_wardrobes(document["resources"]))


def validate(document: Mapping[str, Any]) -> FieldErrors:
    """What is wrong with the configuration."""
    wrong = FieldErrors()
    entries = document.get("resources") or ()
    if not entries:
        wrong.required("resources", "at least one resources is required")
    for number, entry in enumerate(entries):
        path = index("resources", number)
        _validate_resources(entry.get("resources") or (), at(path, "resources"), wrong)
        providers, below = entry.get("providers") or (), at(path, "providers")
        if not providers:
            wrong.required(below, f"at least one {below} is required")
        for place, provider in enumerate(providers):
            _validate_provider(provider, index(below, place), wrong)
    return wrong


def parse_resource(text: str) -> tuple[str, str]:
    """Group and plural of `secrets`, `deployments.apps`, `*.apps` or `*.`."""
    plural, _, group = text.partition(".")
    return group, plural


def _validate_resources(names: Sequence[str], path: str, wrong: FieldErrors) -> None:
    if not names:
        wrong.required(path, f"at least one {path} is required")
    parsed = [parse_resource(name) for name in names]
    if len(set(parsed)) < len(parsed):
        wrong.invalid(path, list(names), "the same resource cannot be specified multiple times")
    if _overlaps(parsed):
        wrong.invalid(path, list(names), _MASKED)
    for number, name in enumerate(names):
        refusal = _refusal_of(name)
        if refusal:
            wrong.invalid(index(path, number), name, refusal)


def _overlaps(parsed: Sequence[tuple[str, str]]) -> bool:
    for group, plural in parsed:
        others = [other for other in parsed if other != (group, plural)]
        if (group, plural) == (ANY, ANY) and others:
            return True
        if plural == ANY and any(other[0] == group for other in others):
            return True
    return False


def _refusal_of(name: str) -> str:
    group, plural = parse_resource(name)
    if name != name.lower():
        return "resource name should not contain capital letters"
    if name == ANY:
        return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
    if name in _INTERNAL:
        return "resources which do not have REST API/s cannot be encrypted"
    if group == "events.k8s.io":
        return (
            "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the "
            "config file"
        )
    if group == "extensions":
        return "'extensions' group has been removed and cannot be used for encryption"
    if group == ANY and plural != ANY:
        return "encrypting the same resource across groups is not supported"
    return ""


def _validate_provider(provider: Mapping[str, Any], path: str, wrong: FieldErrors) -> None:
    named = [name for name in ("kms", *CIPHERS, "identity") if provider.get(name) is not None]
    shown = dict.fromkeys(named, "REDACTED")
    if not named:
        wrong.invalid(path, shown, _NO_PROVIDER)
    elif len(named) > 1:
        detail = "more than one provider specified in a single element, should split into different list elements"
        wrong.invalid(path, shown, detail)
    elif named == ["kms"]:
        wrong.forbidden(at(path, "kms"), "key management services are not supported yet")
    elif named[0] in CIPHERS:
        keys = at(at(path, named[0]), "keys")
        _validate_keys(provider[named[0]].get("keys") or (), keys, CIPHERS[named[0]].key_sizes, wrong)


def _validate_keys(keys: Sequence[Mapping[str, Any]], path: str, sizes: Sequence[int], wrong: FieldErrors) -> None:
    if not keys:
        wrong.required(path, "at least one keys is required")
    for number, key in enumerate(keys):
        place = index(path, number)
        if not key.get("name"):
            wrong.required(at(place, "name"), "name is a mandatory field for a key")
        if not key.get("secret"):
            wrong.required(at(place, "secret"), "secret is a mandatory field for a key")
            continue
        try:
            secret = base64.b64decode(key["secret"], validate=True)
        except (binascii.Error, ValueError):
            wrong.invalid(at(place, "secret"), "REDACTED", "secrets must be base64 encoded")
            continue
        if len(secret) not in sizes:
            allowed = " ".join(map(str, sizes))
            detail = f"secret is not of the expected length, got {len(secret)}, expected one of [{allowed}]"
            wrong.invalid(at(place, "secret"), "REDACTED", detail)


def _wardrobes(entries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Wardrobe]:
    """Put together what is said of each resource. Raises ConfigurationError for what can never take effect."""
    found: dict[tuple[str, str], list[Coat]] = {}
    for entry in entries:
        coats = [coat for provider in entry["providers"] for coat in _coats(provider)]
        named = [parse_resource(name) for name in entry["resources"]]
        for group, plural in named:
            for wider in ((group, ANY), (ANY, ANY)):
                if wider in found and wider != (group, plural):
                    names = f"{plural}.{group}".rstrip("."), f"{wider[1]}.{wider[0]}"
                    raise ConfigurationError('resource "{}" is masked by earlier rule "{}"'.format(*names))
            found.setdefault((group, plural), []).extend(coats)
    return {named: Wardrobe(tuple(coats)) for named, coats in found.items()}


def _coats(provider: Mapping[str, Any]) -> list[Coat]:
    for name, cipher in CIPHERS.items():
        if provider.get(name) is not None:
            keys = provider[name]["keys"]
            return [
                Coat(ENCRYPTED + f"{name}:v1:{key['name']}:".encode(), cipher(base64.b64decode(key["secret"])))
                for key in keys
            ]
    return [Coat(b"", None)]
