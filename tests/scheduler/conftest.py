from typing import Any, cast

import pytest

from pilothouse.scheduler.framework import Tools
from pilothouse.scheduler.nodes import Nodes


@pytest.fixture
def tools() -> Tools:
    """Enough for plugins that talk to nobody while they are built."""
    nobody = cast("Any", None)
    return Tools(Nodes(), nobody, nobody, nobody)
