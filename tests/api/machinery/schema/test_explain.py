"""The slow walk: repeated keys, zero values, limits."""

from typing import Any

import pytest

from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.schema import Schema, Schemas
from pilothouse.api.machinery.schema.explain import explain, zero

SCHEMAS = Schemas()
POD = SCHEMAS.kind("", "v1", "Pod")
DEPLOYMENT = SCHEMAS.kind("apps", "v1", "Deployment")


def test_duplicates_are_named_in_the_order_of_the_document() -> None:
    document = Pairs([
        ("spec", Pairs([
            ("unknown1", 1), ("paused", True), ("paused", False), ("unknownDup", 1), ("unknownDup", 2),
            ("template", Pairs([
                ("metadata", Pairs([("labels", Pairs([("a", "1"), ("a", "2")]))])),
                ("spec", Pairs([("containers", [Pairs([("name", "a"), ("name", "b")])])])),
            ])),
        ])),
    ])  # fmt: skip
    cleaned, errors, strict, unknown = explain(DEPLOYMENT, document)
    assert strict == (
        'unknown field "spec.unknown1"',
        'duplicate field "spec.paused"',
        'unknown field "spec.unknownDup"',
        'duplicate field "spec.template.metadata.labels.a"',
        'duplicate field "spec.template.spec.containers[0].name"',
    )
    assert errors == ()
    assert unknown == ("spec.unknown1", "spec.unknownDup")
    assert "paused" not in cleaned["spec"], "the last one counts, and false says nothing here"
    assert type(cleaned["spec"]["template"]["metadata"]["labels"]) is dict


def test_a_hundred_strict_errors_are_enough() -> None:
    assert len(explain(POD, {f"x{n}": 1 for n in range(150)})[2]) == 100


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        (Schema(type="string"), ""),
        (Schema(type="string", format="date-time"), None),
        (Schema(type="integer"), 0),
        (Schema(type="boolean"), False),
        (Schema(quantity=True), "0"),
        (Schema(int_or_string=True), 0),
        (Schema(type="array", items=Schema(type="string")), []),
        (Schema(type="object"), {}),
        (Schema(), None),
    ],
)
def test_zero_values(node: Schema, wanted: Any) -> None:
    assert zero(node) == wanted
