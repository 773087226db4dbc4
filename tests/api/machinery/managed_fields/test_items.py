"""The steps to items, which are the same for what is stored as for what somebody applies."""

from typing import Any

import pytest

from pilothouse.api.machinery.managed_fields.configuration import claims
from pilothouse.api.machinery.managed_fields.items import item_step
from pilothouse.api.machinery.managed_fields.walk import compare
from pilothouse.api.machinery.schema import Schema

TEXT = Schema(type="string")
NUMBER = Schema(type="integer")


def _list(*keys: str, **items: Schema) -> Schema:
    return Schema(type="array", list_type="map", list_map_keys=keys, items=Schema(type="object", properties=items))


PORTS = _list("port", "protocol", port=NUMBER, protocol=TEXT, name=TEXT)
NAMES = _list("name", name=TEXT)
SET = Schema(type="array", list_type="set", items=TEXT)


@pytest.mark.parametrize(
    ("node", "item", "step"),
    [
        (NAMES, {"name": "a"}, 'k:{"name":"a"}'),
        (PORTS, {"protocol": "UDP", "port": 80}, 'k:{"port":80,"protocol":"UDP"}'),
        (PORTS, {"port": 80, "name": "http"}, 'k:{"port":80,"protocol":"TCP"}'),
        (SET, "a", 'v:"a"'),
    ],
)
def test_an_item_has_one_step_whoever_asks(node: Schema, item: Any, step: str) -> None:
    assert item_step(node, item) == step
    kind = Schema(type="object", properties={"list": node})
    assert list(compare(kind, None, {"list": [item]}).changed["f:list"]) == [".", step]
    claimed, wrong = claims(kind, {"list": [item]})
    assert (list(claimed["f:list"]), wrong) == ([step], [])


@pytest.mark.parametrize(
    ("node", "item", "why"),
    [
        (NAMES, None, "associative list with keys may not have a null element"),
        (NAMES, "a", "associative list with keys may not have non-map elements"),
        (NAMES, {"a": "b"},
         'associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'),
        (PORTS, {"protocol": "TCP"},
         'associative list with keys has an element that omits key field "port" (and doesn\'t have default value)'),
        (SET, None, "associative list without keys has an element that's an explicit null"),
        (SET, {}, "associative list without keys has an element that's a map type"),
        (SET, [], "not supported: associative list with lists as elements"),
    ],
)  # fmt: skip
def test_what_has_no_step(node: Schema, item: Any, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        item_step(node, item)
    assert str(caught.value) == why
