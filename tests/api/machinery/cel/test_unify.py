"""Types that are still unknown find out what they are."""

import pytest

from pilothouse.api.machinery.cel.types import (
    BOOL,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    CelType,
    abstract,
    list_of,
    map_of,
    object_of,
    optional_of,
    type_of,
)
from pilothouse.api.machinery.cel.unify import Bindings, most_general, shown


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        (INT, INT, True),
        (INT, STRING, False),
        (DYN, INT, True),
        (INT, DYN, True),
        (list_of(INT), list_of(DYN), True),
        (list_of(INT), list_of(STRING), False),
        (map_of(STRING, INT), map_of(STRING, DYN), True),
        (NULL, object_of("a", {}), True),
        (NULL, abstract("b"), True),
        (NULL, DURATION, True),
        (NULL, STRING, False),
        (object_of("a", {}), object_of("b", {}), False),
        (type_of(INT), type_of(STRING), True),
        (optional_of(INT), optional_of(STRING), False),
    ],
)
def test_what_fits(given: CelType, wanted: CelType, fits: bool) -> None:
    assert Bindings().fits((given,), (wanted,)) is fits


def test_an_unknown_type_is_what_it_was_first_given() -> None:
    bindings = Bindings()
    unknown = bindings.fresh()
    assert bindings.fits((INT, INT), (unknown, unknown))
    assert bindings.resolved(list_of(unknown)) == list_of(INT)
    assert not bindings.fits((STRING,), (unknown,))


def test_a_failed_attempt_leaves_nothing_behind() -> None:
    bindings = Bindings()
    unknown = bindings.fresh()
    assert not bindings.fits((INT, STRING), (unknown, unknown))
    assert bindings.resolved(unknown) == unknown
    assert bindings.resolved(unknown, final=True) == DYN


def test_no_type_contains_itself() -> None:
    bindings = Bindings()
    first, second = bindings.fresh(), bindings.fresh()
    assert not bindings.fits((list_of(first),), (first,))
    assert bindings.fits((first,), (second,))
    assert bindings.fits((second,), (first,))
    assert bindings.resolved(list_of(first), final=True) == list_of(DYN)


def test_the_more_general() -> None:
    assert most_general(list_of(DYN), list_of(INT)) == list_of(DYN)
    assert most_general(BOOL, BOOL) == BOOL


def test_how_complaints_write_types() -> None:
    assert shown(map_of(STRING, list_of(DURATION))) == "map(string, list(duration))"
    assert str(map_of(STRING, list_of(DURATION))) == "map(string, list(google.protobuf.Duration))"
