"""Rules for names, labels, annotations and ports, with upstream's wording.

Every rule takes a text (or number) and returns what is wrong with it, an empty list for nothing, so that the caller
decides which field to blame. The two `validate_*` functions at the end look at whole maps and collect field errors.
Source: apimachinery/pkg/util/validation and pkg/api/validate/content; RFC 1035, RFC 1123, RFC 6335.
"""

import re
from collections.abc import Mapping

from pilothouse.api.machinery.field import FieldErrors

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes that the keys and values of all annotations of one object may take."""

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN = _DNS_LABEL + r"(\." + _DNS_LABEL + ")*"
_DNS1035_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = r"\*\." + _DNS_SUBDOMAIN
_NAME_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = rf"({_NAME_PART})?"
_PERCENT = "[0-9]+%"
_HEADER_NAME = "[-A-Za-z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_DNS_LABEL_RE = re.compile(_DNS_LABEL)
_DNS_SUBDOMAIN_RE = re.compile(_DNS_SUBDOMAIN)
_DNS1035_LABEL_RE = re.compile(_DNS1035_LABEL)
_WILDCARD_RE = re.compile(_WILDCARD)
_NAME_PART_RE = re.compile(_NAME_PART)
_LABEL_VALUE_RE = re.compile(_LABEL_VALUE)
_GOOD_KEY_RE = re.compile(rf"((?=[^/]{{1,253}}/){_DNS_SUBDOMAIN}/)?(?=[^/]{{1,63}}\Z){_NAME_PART}")
"""A whole label key in one match: what nearly every key is, and the messages need not be asked for."""
_PERCENT_RE = re.compile(_PERCENT)
_HEADER_NAME_RE = re.compile(_HEADER_NAME)
_ENV_NAME_RE = re.compile(_ENV_NAME)
_PRINTABLE_ENV_NAME_RE = re.compile("[ -<>-~]*")
_CONFIG_KEY_RE = re.compile(_CONFIG_KEY)
_C_IDENTIFIER_RE = re.compile(_C_IDENTIFIER)
_HTTP_PATH_RE = re.compile(_HTTP_PATH)
_PORT_NAME_RE = re.compile("[-a-z0-9]+")

_NAME_PART_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)


def pattern_error(message: str, pattern: str, *examples: str) -> str:
    """How messages quote a pattern and examples that fit it."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


# Names of objects


def dns_subdomain(name: str) -> list[str]:
    """RFC 1123 subdomain: the rule for most object names."""
    errors = []
    if _length(name) > 253:
        errors.append(_too_long(253))
    if not _DNS_SUBDOMAIN_RE.fullmatch(name):
        words = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        errors.append(pattern_error(words, _DNS_SUBDOMAIN, "example.com"))
    return errors


def dns_label(name: str) -> list[str]:
    """RFC 1123 label: namespaces, containers, volumes."""
    errors = []
    if _length(name) > 63:
        errors.append(_too_long(63))
    if not _DNS_LABEL_RE.fullmatch(name):
        if _DNS_SUBDOMAIN_RE.fullmatch(name):
            errors.append("must not contain dots")
        else:
            words = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            errors.append(pattern_error(words, _DNS_LABEL, "my-name", "123-abc"))
    return errors


def dns1035_label(name: str) -> list[str]:
    """RFC 1035 label: a DNS label that starts with a letter."""
    errors = []
    if _length(name) > 63:
        errors.append(_too_long(63))
    if not _DNS1035_LABEL_RE.fullmatch(name):
        words = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        errors.append(pattern_error(words, _DNS1035_LABEL, "my-name", "abc-123"))
    return errors


def wildcard_subdomain(name: str) -> list[str]:
    """`*.` before a DNS subdomain, as ingress hosts have it (RFC 1034, section 4.3.3)."""
    errors = []
    if _length(name) > 253:
        errors.append(_too_long(253))
    if not _WILDCARD_RE.fullmatch(name):
        words = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
            "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
        )
        errors.append(pattern_error(words, _WILDCARD, "*.example.com"))
    return errors


def path_segment(name: str) -> list[str]:
    """A name that fits between two slashes of a URL: the rule of RBAC and other kinds with free names."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return path_segment_prefix(name)


def path_segment_prefix(prefix: str) -> list[str]:
    """The beginning of such a name, as generateName gives it."""
    return [f"may not contain '{sign}'" for sign in "/%" if sign in prefix]


# Labels and annotations


def label_key(key: str) -> list[str]:
    """`name` or `prefix/name`: label keys, finalizers, condition types, extended resources."""
    if _GOOD_KEY_RE.fullmatch(key):
        return []
    errors: list[str] = []
    *prefixes, name = key.split("/")
    shown = pattern_error(_NAME_PART_WORDS, _NAME_PART, "MyName", "my.name", "123-abc")
    if len(prefixes) > 1:
        return [f"a valid label key {shown} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if prefixes and not prefixes[0]:
        errors.append("prefix part must be non-empty")
    elif prefixes:
        errors += [f"prefix part {wrong}" for wrong in dns_subdomain(prefixes[0])]
    if not name:
        errors.append("name part must be non-empty")
    elif _length(name) > 63:
        errors.append(f"name part {_too_long(63)}")
    if not _NAME_PART_RE.fullmatch(name):
        errors.append(f"name part {shown}")
    return errors


qualified_name = label_key
"""Upstream's older name for the same rule."""


def prefixed_label_key(key: str) -> list[str]:
    """A label key that must have a prefix, such as a signer's or a domain's key."""
    if errors := label_key(key):
        return errors
    return [] if "/" in key else ["must include a prefix (e.g. 'example.com/key')"]


def label_value(value: str) -> list[str]:
    """At most 63 characters, or nothing."""
    errors = []
    if _length(value) > 63:
        errors.append(_too_long(63))
    if not _LABEL_VALUE_RE.fullmatch(value):
        words = f"a valid label must be an empty string or {_NAME_PART_WORDS.removeprefix('must ')}"
        errors.append(pattern_error(words, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return errors


def annotation_key(key: str) -> list[str]:
    """As a label key, in upper or lower case."""
    return label_key(key.lower())


# Names inside objects


def port_name(name: str) -> list[str]:
    """A service name of RFC 6335 (IANA_SVC_NAME), lower case only."""
    errors = []
    if _length(name) > 15:
        errors.append(_too_long(15))
    if not _PORT_NAME_RE.fullmatch(name):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= letter <= "z" for letter in name):
        errors.append("must contain at least one letter (a-z)")
    if "--" in name:
        errors.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def env_var_name(name: str) -> list[str]:
    """The name of an environment variable: any printable ASCII text without `=`."""
    if not name:
        return ["environment variable name must be non-empty"]
    if not _PRINTABLE_ENV_NAME_RE.fullmatch(name):
        return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    return []


def strict_env_var_name(name: str) -> list[str]:
    """The older, narrower rule, which still holds for keys that become variables through `envFrom`."""
    errors = []
    if not _ENV_NAME_RE.fullmatch(name):
        words = (
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
            "and must not start with a digit"
        )
        errors.append(pattern_error(words, _ENV_NAME, "my.env-name", "MY_ENV.NAME", "MyEnvName1"))
    return errors + _climbing(name)


def config_map_key(key: str) -> list[str]:
    """A key of a ConfigMap or Secret, which must do as a file name."""
    errors = []
    if _length(key) > 253:
        errors.append(_too_long(253))
    if not _CONFIG_KEY_RE.fullmatch(key):
        words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(pattern_error(words, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return errors + _climbing(key)


def _climbing(name: str) -> list[str]:
    """Whether the name would lead out of its directory."""
    if name in (".", ".."):
        return [f"must not be '{name}'"]
    return ["must not start with '..'"] if name.startswith("..") else []


def http_header_name(name: str) -> list[str]:
    """A header of an HTTP probe."""
    if _HEADER_NAME_RE.fullmatch(name):
        return []
    words = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [pattern_error(words, _HEADER_NAME, "X-Header-Name")]


def c_identifier(name: str) -> list[str]:
    """An identifier of C."""
    if _C_IDENTIFIER_RE.fullmatch(name):
        return []
    words = (
        "a valid C identifier must start with alphabetic character or '_', followed by a string of "
        "alphanumeric characters or '_'"
    )
    return [pattern_error(words, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def percent(text: str) -> list[str]:
    """Digits and a percent sign."""
    if _PERCENT_RE.fullmatch(text):
        return []
    return [
        pattern_error(
            "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%"
        )
    ]


# Numbers


def in_range(value: int, low: int, high: int) -> list[str]:
    """A number from `low` up to and with `high`."""
    return [] if low <= value <= high else [f"must be between {low} and {high}, inclusive"]


def port_number(value: int) -> list[str]:
    """A TCP or UDP port other than 0."""
    return in_range(value, 1, 65535)


def numeric_id(value: int) -> list[str]:
    """A Unix user or group id."""
    return in_range(value, 0, 0xFFFFFFFF)


# Rules that know their field


def validate_labels(labels: Mapping[str, str], errors: FieldErrors, path: str) -> None:
    """The keys and values of a label map."""
    for key, value in labels.items():
        for wrong in label_key(key):
            errors.invalid(path, key, wrong)
        for wrong in label_value(value):
            errors.invalid(path, value, wrong)


def validate_annotations(annotations: Mapping[str, str], errors: FieldErrors, path: str) -> None:
    """The keys of annotations, and their size in all."""
    size = 0
    for key, value in annotations.items():
        size += _length(key) + _length(value)
        for wrong in annotation_key(key):
            errors.invalid(path, key, wrong)
    if size > ANNOTATIONS_LIMIT:
        errors.too_long(path, ANNOTATIONS_LIMIT)


def validate_fully_qualified_name(name: str, errors: FieldErrors, path: str) -> None:
    """A domain of at least three labels."""
    if not name:
        errors.required(path)
    elif wrong := dns_subdomain(name):
        errors.invalid(path, name, ",".join(wrong))
    elif name.count(".") < 2:
        errors.invalid(path, name, "should be a domain with at least three segments separated by dots")


def validate_domain_prefixed_path(text: str, errors: FieldErrors, path: str) -> None:
    """`domain/path`, as controller names of ingress and gateway classes and `managedBy` have it."""
    if not text:
        errors.required(path)
        return
    host, _, rest = text.partition("/")
    if not host or not rest:
        errors.invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    for wrong in dns_subdomain(host):
        errors.invalid(path, host, wrong)
    if not _HTTP_PATH_RE.fullmatch(rest):
        errors.invalid(path, rest, pattern_error("Invalid path", _HTTP_PATH))
