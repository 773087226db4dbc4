import gc

from pilothouse.api.catalogue import builtin
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.memo import Memo


def test_entries_live_as_long_as_somebody_holds_them() -> None:
    memo = Memo()
    resource = builtin().of(Pod)
    first = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"}})
    again = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"}})
    other = memo.view(resource, {"metadata": {"name": "a", "namespace": "b", "resourceVersion": "2"}})
    assert again is first
    assert other is not first
    assert len(memo) == 2
    del first, again
    gc.collect()
    assert len(memo) == 1


def test_without_a_revision_nothing_is_remembered() -> None:
    memo = Memo()
    view = memo.view(builtin().of(Pod), {"metadata": {"name": "a"}})
    assert view.metadata.name == "a"
    assert len(memo) == 0
