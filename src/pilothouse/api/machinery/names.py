"""Rules for names, labels and annotations, with upstream's wording.

Source: apimachinery/pkg/util/validation/validation.go. Every function returns what is wrong, an empty list for nothing.
"""

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_RE = re.compile(_LABEL)
_SUBDOMAIN_RE = re.compile(_SUBDOMAIN)


def _regex_error(message: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}'" for example in examples[:1]) + "".join(f", or '{e}'" for e in examples[1:])
    return f"{message} (e.g. {shown.replace(' or ', ',  or ')}, regex used for validation is '{pattern}')"


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def dns_subdomain(name: str) -> list[str]:
    """RFC 1123 subdomain: the rule for most object names."""
    errors = []
    if len(name.encode()) > 253:
        errors.append(_too_long(253))
    if not _SUBDOMAIN_RE.fullmatch(name):
        errors.append(
            _regex_error(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
                "and must start and end with an alphanumeric character",
                r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
                "example.com",
            )
        )
    return errors
