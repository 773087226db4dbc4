import asyncio
from typing import Any

import pytest

from kubelet.probes.asking import means, target
from pilothouse.kubelet.probes.handler import Handler, ProbeError
from pilothouse.runtime.units import subclasses


def test_every_way_to_probe_has_its_handler() -> None:
    found = subclasses(Handler, "pilothouse.kubelet.probes.handlers")
    assert sorted(handler.field for handler in found) == ["exec", "grpc", "httpGet", "tcpSocket"]


@pytest.mark.parametrize(("port", "number"), [("web", 8080), (90, 90), ("90", 90)])
def test_ports_by_name_and_number(port: int | str, number: int) -> None:
    assert target().port(port) == number


@pytest.mark.parametrize("probe", [{"httpGet": {"path": "/", "port": "nope"}}, {"tcpSocket": {"port": "nope"}}])
def test_a_port_that_is_not_there_says_nothing_of_the_container(probe: dict[str, Any]) -> None:
    handlers = [one(means()) for one in subclasses(Handler, "pilothouse.kubelet.probes.handlers")]
    handler = next(one for one in handlers if one.field in probe)
    with pytest.raises(ProbeError, match="couldn't find port: 'nope' in app"):
        asyncio.run(handler.ask(target(**probe)))


def test_a_second_is_the_time_to_answer_unless_said_otherwise() -> None:
    assert target(timeoutSeconds=None).timeout == 1.0
    assert target(timeoutSeconds=7).timeout == 7.0
