"""What a new cluster has of its own accord."""

from pilothouse.apiserver.usage.manifests import usage_manifests
from pilothouse.cluster.addons import addons, runtime_classes
from pilothouse.cluster.settings import Settings


def test_each_runtime_that_is_installed_has_a_class() -> None:
    plain, heavy = runtime_classes(["crun", "kata"])
    assert plain == {
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "crun"}, "handler": "crun",
    }  # fmt: skip
    assert (heavy["handler"], heavy["overhead"]) == ("kata", {"podFixed": {"cpu": "250m", "memory": "160Mi"}})


def test_who_may_view_may_see_what_is_used() -> None:
    assert all(one in addons(Settings(node=False)) for one in usage_manifests())


def test_who_runs_another_runtime_names_its_handlers_himself() -> None:
    def kinds(settings: Settings) -> set[str]:
        return {one["kind"] for one in addons(settings)}

    assert "RuntimeClass" not in kinds(Settings(node=True, runtime_endpoint="unix:///run/a.sock"))
    assert "Service" in kinds(Settings(node=True, runtime_endpoint="unix:///run/a.sock"))
