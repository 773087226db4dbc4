"""What is checked of literals once the types are right: durations, timestamps, patterns, and lists of one type.

Source: cel/validator.go of google/cel-go, with the validators that apiserver/pkg/cel/environment/base.go turns on.
"""

from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.patterns import compiled
from pilothouse.api.machinery.cel.source import Complaints
from pilothouse.api.machinery.cel.syntax import Call, ListLiteral, Literal, MapLiteral, Node, children
from pilothouse.api.machinery.cel.times import parse_duration, parse_timestamp
from pilothouse.api.machinery.cel.types import CelType, Kind
from pilothouse.api.machinery.cel.unify import shown


def check_literals(node: Node, complaints: Complaints, *, formatted: bool = False) -> None:
    """Complains about every literal below the node that cannot be what it is used as."""
    if isinstance(node, Call):
        _argument(node, complaints)
    elif isinstance(node, ListLiteral) and not formatted:
        found = [_inner(each.type) if at in node.optional else each.type for at, each in enumerate(node.elements)]
        _alike(list(zip(node.elements, found, strict=True)), complaints, only_first=True)
    elif isinstance(node, MapLiteral) and not formatted:
        _alike([(entry.key, entry.key.type) for entry in node.entries], complaints)
        values = [
            (entry.value, _inner(entry.value.type) if entry.optional else entry.value.type) for entry in node.entries
        ]
        _alike(values, complaints)
    within = isinstance(node, Call) and node.function == "format"
    inherited = formatted and isinstance(node, ListLiteral | MapLiteral)
    for child in children(node):
        check_literals(child, complaints, formatted=within or inherited)


def _argument(node: Call, complaints: Complaints) -> None:
    literal = node.arguments[0] if node.arguments else None
    if isinstance(literal, Literal) and isinstance(literal.value, str) and not _valid(node.function, literal.value):
        complaints.add(literal.position, f"invalid {node.function} argument")


def _valid(function: str, text: str) -> bool:
    match function:
        case "duration":
            return parse_duration(text) is not None
        case "timestamp":
            return parse_timestamp(text) is not None
        case "matches":
            try:
                compiled(text)
            except EvaluationError:
                return False
    return True


def _inner(optional: CelType) -> CelType:
    return optional.parameters[0] if optional.kind is Kind.OPTIONAL else optional


def _alike(found: list[tuple[Node, CelType]], complaints: Complaints, *, only_first: bool = False) -> None:
    for node, given in found[1:]:
        wanted = found[0][1]
        if given != wanted:
            complaints.add(node.position, f"expected type '{shown(wanted)}' but found '{shown(given)}'")
            if only_first:
                return
