"""What a new cluster has of its own accord."""

from pilothouse.cluster.addons import runtime_classes


def test_each_runtime_that_is_installed_has_a_class() -> None:
    plain, heavy = runtime_classes(["crun", "kata"])
    assert plain == {
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "crun"}, "handler": "crun",
    }  # fmt: skip
    assert (heavy["handler"], heavy["overhead"]) == ("kata", {"podFixed": {"cpu": "250m", "memory": "160Mi"}})
