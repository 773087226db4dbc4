"""Which types fit which, while parameters of functions and the elements of empty lists are still unknown.

`Bindings` remembers what each unknown was found to be. Attempts go to a copy, which is kept only where all of it fits.
The rules are those of upstream's checker (checker/types.go of google/cel-go).
"""

from pilothouse.api.machinery.cel.types import DYN, NULL, CelType, Kind

_NULLABLE = (Kind.OBJECT, Kind.ABSTRACT, Kind.OPTIONAL)
_NULLABLE_NAMES = ("null_type", "google.protobuf.Timestamp", "google.protobuf.Duration")


class Bindings:
    """What the unknown types are so far."""

    def __init__(self) -> None:
        self._found: dict[str, CelType] = {}
        self._unknowns = 0

    def fresh(self) -> CelType:
        """A new unknown type."""
        self._unknowns += 1
        return CelType(Kind.PARAM, f"_var{self._unknowns}")

    def fits(self, given: tuple[CelType, ...], wanted: tuple[CelType, ...]) -> bool:
        """Whether each type may be given where the other is wanted; if so what that says of unknowns is kept."""
        before = self._found
        self._found = dict(before)
        if len(given) == len(wanted) and all(map(self._assignable, given, wanted)):
            return True
        self._found = before
        return False

    def resolved(self, written: CelType, *, final: bool = False) -> CelType:
        """The type with all that is known put in; with `final` what is still unknown becomes dyn."""
        if written.kind is Kind.PARAM:
            known = self._found.get(written.name)
            if known is not None:
                return self.resolved(known, final=final)
            return DYN if final else written
        if not written.parameters:
            return written
        parameters = tuple(self.resolved(each, final=final) for each in written.parameters)
        return CelType(written.kind, written.name, parameters, written.fields)

    def _assignable(self, given: CelType, wanted: CelType) -> bool:
        if given == wanted and given.kind is not Kind.PARAM:
            return True
        if wanted.kind is Kind.PARAM:
            fits, bound = self._substitutes(given, wanted)
            if fits or bound:
                return fits
        if given.kind is Kind.PARAM:
            return self._substitutes(wanted, given)[0]
        if given.kind in (Kind.DYN, Kind.ERROR) or wanted.kind in (Kind.DYN, Kind.ERROR):
            return True
        if given == NULL:
            return wanted.kind in _NULLABLE or wanted.name in _NULLABLE_NAMES
        if given.kind is not wanted.kind or given.name != wanted.name:
            return False
        if given.kind is Kind.TYPE:
            return True
        return all(map(self._assignable, given.parameters, wanted.parameters))

    def _substitutes(self, given: CelType, unknown: CelType) -> tuple[bool, bool]:
        """Whether the type can be what the unknown stands for, and whether that was settled before."""
        known = self._found.get(unknown.name)
        if known is not None:
            if given == known:
                return True, True
            if self._assignable(given, known):
                general = most_general(self.resolved(given), self.resolved(known))
                if not self._occurs(unknown, general):
                    self._found[unknown.name] = general
                return True, True
            return False, True
        if given == unknown:
            return True, False
        if self._occurs(unknown, given):
            return False, False
        self._found[unknown.name] = given
        return True, False

    def _occurs(self, unknown: CelType, within: CelType) -> bool:
        if within == unknown:
            return True
        if within.kind is Kind.PARAM:
            known = self._found.get(within.name)
            return known is not None and self._occurs(unknown, known)
        return any(self._occurs(unknown, each) for each in within.parameters)


def most_general(first: CelType, second: CelType) -> CelType:
    """The one of two fitting types that says less."""
    return first if _says_less(first, second) else second


def _says_less(first: CelType, second: CelType) -> bool:
    if first.kind in (Kind.DYN, Kind.PARAM):
        return True
    if second.kind in (Kind.DYN, Kind.PARAM) or first.kind is not second.kind or first.name != second.name:
        return False
    return first.kind is Kind.TYPE or all(map(_says_less, first.parameters, second.parameters))


def substituted(written: CelType, known: dict[str, CelType]) -> CelType:
    """A declaration's type with its parameters replaced."""
    if written.kind is Kind.PARAM:
        return known.get(written.name, written)
    if not written.parameters:
        return written
    return CelType(written.kind, written.name, tuple(substituted(each, known) for each in written.parameters))


_WORDS = {"null_type": "null", "google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}


def shown(written: CelType) -> str:
    """A type as the checker's complaints write it."""
    name = _WORDS.get(written.name, written.name)
    return f"{name}({', '.join(map(shown, written.parameters))})" if written.parameters else name
