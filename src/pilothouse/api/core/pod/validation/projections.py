"""Rules for projected volumes: files of several sources in one directory."""

from collections.abc import Callable

from pilothouse.api.core.pod.validation.environment import validate_downward_file
from pilothouse.api.core.pod.validation.paths import file_mode, key_items, local_not_reserved
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.view import JsonObject

_Rule = Callable[[JsonObject, FieldErrors, str], None]
_MIN_TOKEN_LIFE, _MAX_TOKEN_LIFE = 600, 1 << 32


def validate_projected(source: JsonObject, errors: FieldErrors, path: str) -> None:
    """Every part has one source, and no two write the same file."""
    file_mode(source, "defaultMode", errors, path)
    taken: set[str] = set()

    def take(target: str, shown: str) -> None:
        if target in taken:
            errors.invalid(path, shown, "conflicting duplicate paths")
        elif target:
            taken.add(target)

    for position, projection in enumerate(source.get("sources") or ()):
        where, count = f"{path}.sources[{position}]", 0
        for kind, rule in _PROJECTIONS.items():
            part = projection.get(kind)
            if part is not None:
                count += 1
                rule(part, errors, at(where, kind))
                for target, shown in _targets(kind, part):
                    take(target, shown)
        if token := projection.get("serviceAccountToken"):
            _token_path(token, errors, path)
        if count > 1:
            errors.forbidden(where, "may not specify more than 1 volume type per source")


def _targets(kind: str, part: JsonObject) -> list[tuple[str, str]]:
    """The files a projection writes, each with what messages show for it."""
    if kind in ("secret", "configMap"):
        return [(item.get("path") or "", part.get("name") or "") for item in part.get("items") or ()]
    if kind == "downwardAPI":
        return [(item.get("path") or "", item.get("path") or "") for item in part.get("items") or ()]
    if kind == "serviceAccountToken":
        return []
    names = ("path", "credentialBundlePath", "keyPath", "certificateChainPath")
    return [(part[name], part[name]) for name in names if part.get(name)]


def _projected_keys(part: JsonObject, errors: FieldErrors, path: str) -> None:
    if not part.get("name"):
        errors.required(at(path, "name"))
    key_items(part, errors, path)


def _projected_downward(part: JsonObject, errors: FieldErrors, path: str) -> None:
    for file in part.get("items") or ():
        validate_downward_file(file, errors, path)


def _projected_token(part: JsonObject, errors: FieldErrors, path: str) -> None:
    seconds = part.get("expirationSeconds") or 0
    if seconds < _MIN_TOKEN_LIFE:
        words = "may not specify a duration less than 10 minutes"
        errors.invalid(at(path, "expirationSeconds"), seconds, words)
    if seconds > _MAX_TOKEN_LIFE:
        words = "may not specify a duration larger than 2^32 seconds"
        errors.invalid(at(path, "expirationSeconds"), seconds, words)


def _token_path(part: JsonObject, errors: FieldErrors, path: str) -> None:
    # Upstream blames the volume, not the projection, for the token's path.
    if not part.get("path"):
        errors.required(at(path, "path"))
    else:
        local_not_reserved(part["path"], errors, at(path, "path"))


def _projected_trust(part: JsonObject, errors: FieldErrors, path: str) -> None:
    name, signer = part.get("name"), part.get("signerName")
    if name is not None and signer is not None:
        errors.invalid(path, part, "only one of name and signerName may be used")
    elif name is not None:
        if not name:
            errors.required(at(path, "name"), "must be a valid object name")
        if part.get("labelSelector") is not None:
            words = "labelSelector must be unset if name is specified"
            errors.invalid(at(path, "labelSelector"), part["labelSelector"], words)
    elif signer is not None:
        if not signer:
            errors.required(at(path, "signerName"), "must be a valid signer name")
        validate_label_selector(part.get("labelSelector"), errors, at(path, "labelSelector"))
    else:
        errors.required(path, "either name or signerName must be specified")
    target = part.get("path") or ""
    if not target:
        errors.required(at(path, "path"))
    local_not_reserved(target, errors, at(path, "path"))


def _projected_certificate(part: JsonObject, errors: FieldErrors, path: str) -> None:
    """A certificate for the pod itself (KEP-4317)."""
    if not part.get("signerName"):
        errors.required(at(path, "signerName"))
    if not part.get("keyType"):
        errors.required(at(path, "keyType"))
    paths = [name for name in ("credentialBundlePath", "keyPath", "certificateChainPath") if part.get(name)]
    if not paths:
        words = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        errors.required(path, words)
    for name in paths:
        local_not_reserved(part[name], errors, at(path, name))


_PROJECTIONS: dict[str, _Rule] = {
    "secret": _projected_keys,
    "configMap": _projected_keys,
    "downwardAPI": _projected_downward,
    "serviceAccountToken": _projected_token,
    "clusterTrustBundle": _projected_trust,
    "podCertificate": _projected_certificate,
}
