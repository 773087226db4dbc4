"""Names of signers: `domain/path`, such as `kubernetes.io/kubelet-serving`.

Source of the facts: ValidateSignerName in pkg/apis/core/validation/validation.go.
"""

from pilothouse.api.machinery.field import FieldErrors, quote
from pilothouse.api.machinery.names import dns_label, dns_subdomain

LEGACY = "kubernetes.io/legacy-unknown"
_LONGEST_DOMAIN = 253
_LONGEST_PATH = 253 + 63 + 1
_LONGEST = _LONGEST_DOMAIN + _LONGEST_PATH + 1


def validate_signer_name(name: str, errors: FieldErrors, path: str) -> None:
    """A domain of two or more labels, and a path of subdomains."""
    if not name:
        errors.required(path)
        return
    parts = name.split("/")
    if len(parts) != 2:
        words = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        errors.invalid(path, name, words)
        return
    domain, rest = parts
    if len(domain) > _LONGEST_DOMAIN:
        errors.too_long(path, _LONGEST_DOMAIN)
    labels = domain.split(".")
    _validate_first_bad(domain, labels, [dns_label(label) for label in labels], errors, path)
    if len(labels) < 2:
        errors.invalid(path, domain, "should be a domain with at least two segments separated by dots")
    labels = rest.split(".")
    _validate_first_bad(rest, labels, [dns_subdomain(label) for label in labels], errors, path)
    if len(name) > _LONGEST:
        errors.too_long(path, _LONGEST)


def _validate_first_bad(text: str, labels: list[str], wrongs: list[list[str]], errors: FieldErrors, path: str) -> None:
    """Of labels that are wrong in the same way one is enough."""
    for label, found in zip(labels, wrongs, strict=True):
        if found:
            for wrong in found:
                errors.invalid(path, text, f"validating label {quote(label)}: {wrong}")
            return


def is_kubernetes_signer(name: str) -> bool:
    """Whether the signer is one of the project's own."""
    return f".{name.partition('/')[0]}".endswith(".kubernetes.io")
