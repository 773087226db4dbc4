"""Cases of one table that are begun together: what takes their time is waiting, for a pod to start and to end.

Each test asks for the outcome of its own case alone, and fails with what that case failed with.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

Case = TypeVar("Case")
Outcome = TypeVar("Outcome")
AT_ONCE = 8
"""As many as one small node starts at once without being slower for it."""


@contextmanager
def side_by_side(
    request: pytest.FixtureRequest, parameter: str, run: Callable[[Case], Outcome]
) -> Iterator[Callable[[Case], Outcome]]:
    """Run something for every value of a parameter that this session's tests of the module have; tells what came of it.

    For a fixture of a module, which `request` is that of. Values must be hashable.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {case: pool.submit(run, case) for case in _cases(request, parameter)}
        yield lambda case: running[case].result()
        for each in running.values():
            each.cancel()


def _cases(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    functions = [item for item in request.session.items if isinstance(item, pytest.Function)]
    calls = [getattr(item, "callspec", None) for item in functions if item.module is request.module]
    return [call.params[parameter] for call in calls if call is not None and parameter in call.params]
