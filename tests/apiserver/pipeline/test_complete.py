"""What an object has when nobody said anything, before it is compared or recorded."""

from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.complete import complete
from pilothouse.apiserver.pipeline.write import Operation, Write

SCHEMAS = Schemas()


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        (("", "configmaps"), {"data": {"a": "b"}}, {"data": {"a": "b"}}),
        (("", "events"), {"source": {"host": "n"}}, {"source": {"host": "n"}, "eventTime": None}),
        (("batch", "cronjobs"), {"spec": {"suspend": True}}, {"status": {}}),
        (("", "services"), {"status": {}}, {"status": {"loadBalancer": {}}}),
        (("", "podtemplates"), {}, {"metadata": {"name": "x"}}),
    ],
)  # fmt: skip
def test_defaults_and_what_is_always_written(kind: tuple[str, str], sent: dict[str, Any], kept: dict[str, Any]) -> None:
    resource = builtin().find(kind[0], "v1", kind[1])
    assert resource is not None
    exchange: Exchange = object()  # type: ignore[assignment]
    write = Write(exchange, resource, Operation.CREATE, "ns", "x", new={"metadata": {"name": "x"}, **sent})
    complete(write, SCHEMAS)
    assert write.new is not None
    assert {name: write.new[name] for name in kept} == kept


def test_defaults_come_first() -> None:
    resource = builtin().find("batch", "v1", "cronjobs")
    assert resource is not None
    exchange: Exchange = object()  # type: ignore[assignment]
    write = Write(exchange, resource, Operation.CREATE, "ns", "x", new={"metadata": {"name": "x"}})
    complete(write, SCHEMAS)
    assert write.new is not None
    template = write.new["spec"]["jobTemplate"]
    assert (write.new["spec"]["concurrencyPolicy"], template["metadata"]) == ("Allow", {})
    assert template["spec"]["template"]["metadata"] == {}
