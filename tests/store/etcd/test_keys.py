import pytest

from pilothouse.store.etcd.keys import KeySpace


@pytest.mark.parametrize("prefix", ["/registry", "registry", "/registry/"])
def test_names_are_below_the_prefix(prefix: str) -> None:
    keys = KeySpace(prefix)
    assert keys.key("core/pods/default/web") == b"/registry/core/pods/default/web"
    assert keys.name(b"/registry/core/pods/default/web") == "core/pods/default/web"
    assert not keys.aside("services").startswith(keys.root)


def test_a_range_ends_after_all_that_begin_with_its_prefix() -> None:
    keys = KeySpace("/registry")
    assert keys.below("") == (b"/registry/", b"/registry0")
    assert keys.below("core/pods/") == (b"/registry/core/pods/", b"/registry/core/pods0")
    assert keys.below("core/pods/", "core/pods/a\0") == (b"/registry/core/pods/a\0", b"/registry/core/pods0")
    assert keys.below("core/pods/", "a") == (b"/registry/core/pods/", b"/registry/core/pods0")
