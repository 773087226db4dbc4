from typing import Any, cast

import pytest

from pilothouse.client.informer import Informer
from pilothouse.runtime.chance import Chance
from pilothouse.scheduler.framework import Tools
from pilothouse.scheduler.nodes import Nodes


class EmptyInformers:
    """Informers that know of nothing."""

    def of(self, *_: Any, **__: Any) -> Informer[Any]:
        return Informer()


@pytest.fixture
def tools() -> Tools:
    """Enough for plugins that talk to nobody while they are built."""
    nobody = cast("Any", None)
    return Tools(Nodes(), cast("Any", EmptyInformers()), nobody, nobody, Chance(1))
