"""Rules for projected volumes: files of several sources in one directory.

*assumed*: the words about a pod's certificate, other than those about its life.
"""

from collections.abc import Callable

from pilothouse.api.certificates.cluster_trust_bundle import wrong_with_name
from pilothouse.api.certificates.signer import is_kubernetes_signer, validate_signer_name
from pilothouse.api.core.pod.validation.environment import validate_downward_file
from pilothouse.api.core.pod.validation.paths import file_mode, key_items, local_not_reserved
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import prefixed_label_key, validate_annotations
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject

_Rule = Callable[[JsonObject, FieldErrors, str], None]
_MIN_TOKEN_LIFE, _MAX_TOKEN_LIFE = 600, 1 << 32
_HOUR, _DAY = 3600, 86_400
_LONGEST_LIFE = 91 * _DAY
_KEY_TYPES = ("ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096")


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
        # The name tells the signer: what stands before its last colon.
        for wrong in wrong_with_name(name, name.rpartition(":")[0].replace(":", "/")):
            errors.invalid(at(path, "name"), name, f"not a valid clustertrustbundlename: {wrong}")
        if part.get("labelSelector") is not None:
            words = "labelSelector must be unset if name is specified"
            errors.invalid(at(path, "labelSelector"), part["labelSelector"], words)
    elif signer is not None:
        if not signer:
            errors.required(at(path, "signerName"), "must be a valid signer name")
        validate_signer_name(signer, errors, at(path, "signerName"))
        validate_label_selector(part.get("labelSelector"), errors, at(path, "labelSelector"))
    else:
        errors.required(path, "either name or signerName must be specified")
    target = part.get("path") or ""
    if not target:
        errors.required(at(path, "path"))
    local_not_reserved(target, errors, at(path, "path"))


def _projected_certificate(part: JsonObject, errors: FieldErrors, path: str) -> None:
    """A certificate for the pod itself (KEP-4317)."""
    signer, key_type = part.get("signerName") or "", part.get("keyType") or ""
    validate_signer_name(signer, errors, at(path, "signerName"))
    if key_type not in _KEY_TYPES:
        errors.not_supported(at(path, "keyType"), key_type, _KEY_TYPES)
    _certificate_life(part.get("maxExpirationSeconds"), signer, errors, at(path, "maxExpirationSeconds"))
    annotations, shown = part.get("userAnnotations") or {}, at(path, "userAnnotations")
    validate_annotations(annotations, errors, shown)
    for key in annotations:
        if "/" not in key:
            validate_text(key, prefixed_label_key, errors, shown)
    paths = [name for name in ("credentialBundlePath", "keyPath", "certificateChainPath") if part.get(name)]
    if not paths:
        words = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        errors.required(path, words)
    for name in paths:
        local_not_reserved(part[name], errors, at(path, name))


def _certificate_life(seconds: int | None, signer: str, errors: FieldErrors, path: str) -> None:
    longest = _DAY if is_kubernetes_signer(signer) else _LONGEST_LIFE
    if seconds is None:
        return
    if seconds < _HOUR:
        errors.invalid(path, seconds, f"if provided, maxExpirationSeconds must be >= {_HOUR}")
    if seconds > longest:
        errors.invalid(path, seconds, f"if provided, maxExpirationSeconds must be <= {longest}")


_PROJECTIONS: dict[str, _Rule] = {
    "secret": _projected_keys,
    "configMap": _projected_keys,
    "downwardAPI": _projected_downward,
    "serviceAccountToken": _projected_token,
    "clusterTrustBundle": _projected_trust,
    "podCertificate": _projected_certificate,
}
