"""Named formats of texts: `format.dns1123Label().validate(name)` gives none, or what is wrong with it.

Source: apiserver/pkg/cel/library/format.go; strfmt of kube-openapi for uuid, byte, date and datetime.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pilothouse.api.machinery import names
from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.library.urls import parse_request_uri
from pilothouse.api.machinery.cel.times import parse_timestamp
from pilothouse.api.machinery.cel.values import NONE, Opaque, Optional

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedFormat(Opaque):
    """A format; `pattern_size` is what upstream reckons its pattern to be long, for costs."""

    name: str
    validate: Callable[[str], list[str]]
    pattern_size: int

    type_name = "kubernetes.NamedFormat"


def _prefix(rule: Callable[[str], list[str]], text: str) -> list[str]:
    """A prefix of generated names may end with a dash, which something follows."""
    return rule(f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text)


def _uri(text: str) -> list[str]:
    try:
        parse_request_uri(text)
    except ValueError as error:
        return [str(error)]
    return []


def _uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _byte(text: str) -> list[str]:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ["invalid base64"]
    return [] if text else ["invalid base64"]


def _date(text: str) -> list[str]:
    return [] if _DATE.fullmatch(text) and parse_timestamp(f"{text}T00:00:00Z") else ["invalid date"]


def _datetime(text: str) -> list[str]:
    return [] if parse_timestamp(text) else ["invalid datetime"]


FORMATS = {
    "dns1123Label": NamedFormat("DNS1123Label", names.dns_label, 30),
    "dns1123Subdomain": NamedFormat("DNS1123Subdomain", names.dns_subdomain, 60),
    "dns1035Label": NamedFormat("DNS1035Label", names.dns1035_label, 30),
    "qualifiedName": NamedFormat("QualifiedName", names.label_key, 60),
    "dns1123LabelPrefix": NamedFormat("DNS1123LabelPrefix", partial(_prefix, names.dns_label), 30),
    "dns1123SubdomainPrefix": NamedFormat("DNS1123SubdomainPrefix", partial(_prefix, names.dns_subdomain), 60),
    "dns1035LabelPrefix": NamedFormat("DNS1035LabelPrefix", partial(_prefix, names.dns1035_label), 30),
    "labelValue": NamedFormat("LabelValue", names.label_value, 40),
    "uri": NamedFormat("URI", _uri, 1100),
    "uuid": NamedFormat("uuid", _uuid, 79),
    "byte": NamedFormat("byte", _byte, 89),
    "date": NamedFormat("date", _date, 155),
    "datetime": NamedFormat("datetime", _datetime, 155),
}


def _named(name: str) -> Optional:
    found = FORMATS.get(name)
    return NONE if found is None else Optional(found)


def _validate(form: NamedFormat, text: str) -> Optional:
    wrong = form.validate(text)
    return Optional(wrong) if wrong else NONE


def _constant(form: NamedFormat) -> Callable[[], NamedFormat]:
    return lambda: form


NAMED_FORMATS = library(
    "validate format-validate Format.(string) optional(list(string))\n"
    "format.named format-named (string) optional(Format)\n"
    + "\n".join(f"format.{name} format.{name} () Format" for name in FORMATS),
    {
        "validate": _validate,
        "format.named": _named,
        **{f"format.{name}": _constant(form) for name, form in FORMATS.items()},
    },
)
