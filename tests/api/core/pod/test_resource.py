"""The Pod resource as discovery shows it."""

from pilothouse.api.core.pod import RESOURCE


def test_the_subresources_are_those_of_the_api() -> None:
    assert [(s.name, s.kind, s.verbs) for s in RESOURCE.subresources] == [
        ("attach", "PodAttachOptions", ("get", "create")),
        ("binding", "Binding", ("create",)),
        ("ephemeralcontainers", "", ("get", "patch", "update")),
        ("eviction", "Eviction", ("create",)),
        ("exec", "PodExecOptions", ("get", "create")),
        ("log", "", ("get",)),
        ("portforward", "PodPortForwardOptions", ("get", "create")),
        ("proxy", "PodProxyOptions", ("create", "delete", "get", "patch", "update")),
        ("resize", "", ("get", "patch", "update")),
        ("status", "", ("get", "patch", "update")),
    ]
    eviction = RESOURCE.subresource("eviction")
    assert eviction is not None
    assert (eviction.group, eviction.version) == ("policy", "v1")
    assert (RESOURCE.short_names, RESOURCE.categories) == (("po",), ("all",))
