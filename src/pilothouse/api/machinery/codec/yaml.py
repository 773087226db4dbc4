"""YAML in and out, meaning what sigs.k8s.io/yaml means by it: YAML 1.1 as go-yaml reads it, turned into JSON.

The C parser of PyYAML delivers events; the values are built here, because PyYAML's own constructors differ where it
matters: `12:30` is a text and no number in base 60, `y` is true, dates stay texts, keys become texts, repeated keys are
found with their lines, and aliases are copied under go-yaml's limit, so that a small body cannot become a huge object.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, TOO_DEEP, MalformedError

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]+|0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_TAG = "tag:yaml.org,2002:"
_MERGE = object()
"""The key `<<`."""
_EVENTS = yaml.CLoader if hasattr(yaml, "CLoader") else yaml.Loader


def decode(body: bytes) -> tuple[Any, list[str]]:
    """The value of a YAML text and what repeats in it: `line 3: key "a" already set in map`. Raises MalformedError."""
    try:
        events = yaml.parse(body, Loader=_EVENTS)
        builder = _Builder(events)
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        raise MalformedError(
            f"yaml: {_where(error)}{error.problem or 'unknown problem parsing YAML content'}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MalformedError(f"yaml: {getattr(error, 'reason', error)}") from None
    return value, builder.repeated


def _where(error: yaml.MarkedYAMLError) -> str:
    """The line as go-yaml counts it: scanner errors from one, parser errors from zero, which it then leaves out."""
    if error.problem_mark is not None and error.problem_mark.line:
        return f"line {error.problem_mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)}: "
    if error.context_mark is not None and error.context_mark.line:
        return f"line {error.context_mark.line}: "
    return ""


def resolve(text: str) -> Any:
    """What a plain, untagged scalar stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if text[0] != "." and _INT.fullmatch(plain):
        digits = plain.lstrip("+-").lower()
        base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2], 8 if digits[0] == "0" and len(digits) > 1 else 10)
        if base != 10 or len(digits) <= 20:
            number = int(digits[2:] if digits[:2] in ("0x", "0b", "0o") else digits, base)
            number = -number if plain[0] == "-" else number
            if -(2**63) <= number < 2**64:
                return number
    if _FLOAT.fullmatch(plain) and math.isfinite(real := float(plain)):
        return _whole(real)
    return text


def _whole(number: float) -> float | int:
    """A float as Go's JSON writes it: 1.0 is 1, and reads as a whole number from there on."""
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


class _Builder:
    """Builds the value of the one document in a stream of events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.repeated: list[str] = []
        self.built = 0
        self.copied = 0
        self.depth = 0

    def document(self) -> Any:
        """The only document; nothing at all is null."""
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events))
        next(self.events)
        if not isinstance(next(self.events), yaml.StreamEndEvent):
            raise MalformedError("yaml: the body holds more than one document")
        return value

    def value(self, event: Any) -> Any:
        """The value that begins with `event`."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        before = self.built
        self.built += 1
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        else:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise MalformedError(TOO_DEEP)
            value = self.list() if isinstance(event, yaml.SequenceStartEvent) else self.map()
            self.depth -= 1
        if event.anchor:
            self.anchors[event.anchor] = (value, self.built - before)
        return value

    def alias(self, event: Any) -> Any:
        """A copy of what an anchor names, within go-yaml's limits."""
        if event.anchor not in self.anchors:
            raise MalformedError(f"yaml: unknown anchor '{event.anchor}' referenced")
        value, size = self.anchors[event.anchor]
        self.built += size
        self.copied += size
        if self.copied > 100 and self.built > 1000 and self.copied / self.built > _allowed(self.built):
            raise MalformedError("yaml: document contains excessive aliasing")
        return _copy(value)

    def list(self) -> list[Any]:
        """The items up to the end of the list."""
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(_sound(self.value(event)))
        return items

    def map(self) -> dict[str, Any]:
        """The entries up to the end of the map, sorted as Go's JSON sorts them."""
        entries: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            key = self.value(event)
            value = _sound(self.value(next(self.events)))
            if key is _MERGE:
                merged |= _merged(value)
                continue
            name = _key(key, value)
            if name in entries:
                self.repeated.append(f'line {line}: key "{name}" already set in map')
            entries[name] = value
        return dict(sorted((merged | entries).items()))


def _allowed(built: int) -> float:
    """The share of copies that a document may have: 99 % of a small one, 10 % of a huge one."""
    low, high = 400_000, 4_000_000
    if built <= low:
        return 0.99
    if built >= high:
        return 0.10
    return 0.99 - 0.89 * (built - low) / (high - low)


def _scalar(event: Any) -> Any:
    """The value of a scalar: quoted ones are texts, plain ones what they look like, tagged ones what the tag says."""
    text: str = event.value
    if event.implicit[0]:
        return _MERGE if text == "<<" else resolve(text)
    tag = (event.tag or f"{_TAG}str").removeprefix(_TAG)
    if tag == "binary":
        return _binary(text)
    if tag == "str" or event.implicit[1] or tag not in ("bool", "int", "float", "null", "timestamp"):
        return text
    value = resolve(text)
    wanted: dict[str, tuple[type, ...]] = {"bool": (bool,), "int": (int,), "float": (int, float), "null": (type(None),)}
    if tag == "timestamp" or (type(value) in wanted[tag]):
        return text if tag == "timestamp" else value
    found = {bool: "bool", int: "int", float: "float", type(None): "null"}.get(type(value), "str")
    raise MalformedError(f"yaml: cannot decode !!{found} `{text}` as a !!{tag}")


def _binary(text: str) -> str:
    """What base64 stands for, as text: JSON knows no bytes."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        raise MalformedError("yaml: !!binary value contains invalid base64 data") from None


def _sound(value: Any) -> Any:
    """A value that JSON can say."""
    if isinstance(value, float) and not math.isfinite(value):
        word = "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
        raise MalformedError(f"json: unsupported value: {word}")
    return "<<" if value is _MERGE else value


def _key(key: Any, value: Any) -> str:
    """A key as text; numbers and booleans turn into it, all else is refused."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if isinstance(key, float):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(str(key)) or f"{key:g}"
    kind = {"NoneType": "%!s(<nil>)", "list": "[]interface {}"}.get(type(key).__name__, "map[interface {}]interface {}")
    raise MalformedError(f"Unsupported map key of type: {kind}, key: {key!r}, value: {value!r}")


def _merged(value: Any) -> dict[str, Any]:
    """What `<<: value` brings in; of several maps the first has the say."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        found: dict[str, Any] = {}
        for one in reversed(value):
            found |= one
        return found
    raise MalformedError("yaml: map merge requires map or sequence of maps as the value")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def encode(value: Any) -> bytes:
    """The YAML text of a JSON value: keys sorted, texts over several lines as blocks."""
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=2**20)
    return text.encode()


class _Dumper(yaml.CSafeDumper if hasattr(yaml, "CSafeDumper") else yaml.SafeDumper):  # type: ignore[misc]
    """Quotes every text that go-yaml or an older reader would not read back as text."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Never write anchors: a value that occurs twice is written twice."""
        return True


def _text_node(dumper: Any, text: str) -> Any:
    if "\n" in text and not text.startswith((" ", "\n")):
        return dumper.represent_scalar(f"{_TAG}str", text, style="|")
    return dumper.represent_scalar(f"{_TAG}str", text, style=None if isinstance(resolve(text), str) else '"')


_Dumper.add_representer(str, _text_node)
