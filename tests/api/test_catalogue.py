"""The built-in catalogue against the API of v1.37.

`resources.tsv` holds the facts: groups, versions, plurals, kinds, scopes and verbs from upstream's conformance list of
endpoints, short names and categories from the REST storages (pkg/registry/*/*/storage/storage.go). The kinds that
became GA in v1.37 itself are *assumed* to have the verbs of their beta versions. In the verbs, `all` means the eight
verbs of a stored kind and `gpu` get, patch and update.
"""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.api.catalogue import Catalogue, builtin, with_addons
from pilothouse.api.machinery.resource import ALL_VERBS, Resource
from pilothouse.api.machinery.view import View
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.core_v1 import Event
from pilothouse.api.types.meta_v1 import ObjectMeta


def _rows() -> list[dict[str, str]]:
    with Path(__file__).with_name("resources.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        row["group"] = "" if row["group"] == "core" else row["group"]
        row["verbs"] = {"all": ",".join(ALL_VERBS), "gpu": "get,patch,update"}.get(row["verbs"], row["verbs"])
    return rows


def _is_there(row: dict[str, str]) -> bool:
    # Pod and PodTemplate come with the package of the pod.
    plural = row["resource"].partition("/")[0]
    return plural not in ("pods", "podtemplates") or builtin().find("", "v1", plural) is not None


ROWS = [row for row in _rows() if _is_there(row)]


def _id(row: dict[str, str]) -> str:
    return f"{row['group'] or 'core'}/{row['version']}/{row['resource']}"


@pytest.mark.parametrize("row", [row for row in ROWS if "/" not in row["resource"]], ids=_id)
def test_kind(row: dict[str, str]) -> None:
    found = builtin().find(row["group"], row["version"], row["resource"])
    assert found is not None
    assert {
        "kind": found.name,
        "scope": "namespaced" if found.namespaced else "cluster",
        "verbs": ",".join(sorted(found.verbs)),
        "short": ",".join(found.short_names),
        "categories": ",".join(found.categories),
    } == {key: row[key] for key in ("kind", "scope", "verbs", "short", "categories")}
    assert found.singular == row["kind"].lower()
    assert builtin().by_kind(row["group"], row["version"], row["kind"]) is found
    module = found.kind.__module__.rpartition(".")[2]
    assert module == f"{(row['group'] or 'core').split('.')[0]}_{row['version']}"


@pytest.mark.parametrize("row", [row for row in ROWS if "/" in row["resource"]], ids=_id)
def test_subresource(row: dict[str, str]) -> None:
    plural, _, name = row["resource"].partition("/")
    parent = builtin().find(row["group"], row["version"], plural)
    assert parent is not None
    found = parent.subresource(name)
    assert found is not None
    assert (found.kind or parent.name, ",".join(sorted(found.verbs))) == (row["kind"], row["verbs"])


def test_nothing_else_is_served() -> None:
    expected = {(row["group"], row["version"], row["resource"]) for row in ROWS}
    served = {(r.group, r.version, r.plural) for r in builtin()}
    served |= {(r.group, r.version, f"{r.plural}/{s.name}") for r in builtin() for s in r.subresources}
    assert served == expected


def test_an_addons_kinds_are_served_besides_and_come_last() -> None:
    added = [(r.group, r.version, r.plural, r.name) for r in [*with_addons()][len(builtin()) :]]
    assert added == [
        ("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics"),
        ("metrics.k8s.io", "v1beta1", "pods", "PodMetrics"),
    ]


def test_groups_in_the_order_of_discovery() -> None:
    # Source: the group priorities of pkg/controlplane/apiserver/aggregator.go; kubectl takes the first match.
    groups = builtin().groups()
    assert list(groups)[:5] == ["", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io"]
    assert groups["autoscaling"] == ("v2", "v1")
    assert all(
        group == r.group for group in groups for version in groups[group] for r in builtin().in_version(group, version)
    )


def _custom(version: str) -> Resource[View]:
    return Resource(kind=View, group="example.com", version=version, plural="things")


def test_versions_by_maturity_then_number() -> None:
    names = ["v1", "v10", "v2", "v1beta1", "v2beta1", "v11alpha2", "v1alpha1", "foo1", "foo10"]
    ordered = ["v10", "v2", "v1", "v2beta1", "v1beta1", "v11alpha2", "v1alpha1", "foo1", "foo10"]
    assert [r.version for r in Catalogue(_custom(name) for name in names)] == ordered


def test_of_finds_by_view_class() -> None:
    assert builtin().of(Deployment).plural == "deployments"
    with pytest.raises(LookupError, match="ObjectMeta"):
        builtin().of(ObjectMeta)


def test_two_of_a_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        Catalogue([_custom("v1"), _custom("v1")])


def test_stored() -> None:
    catalogue = builtin()
    newer = catalogue.find("events.k8s.io", "v1", "events")
    assert newer is not None
    assert catalogue.stored(newer) is catalogue.of(Event)
    assert catalogue.stored(catalogue.of(Event)) is catalogue.of(Event)


def test_every_kind_names_its_columns_once() -> None:
    for resource in builtin():
        names = [column.name for column in resource.columns]
        assert len(names) == len(set(names)), resource.plural


def test_reading_all_kinds_is_cheap() -> None:
    # Counted, not timed: neither the kinds nor their views pull in an event loop, sockets or the schema.
    script = "import sys; from pilothouse.api.catalogue import builtin; builtin(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"kubernetes_validate", "grpc", "numpy", "aiohttp", "pilothouse.api.machinery.schema"}.isdisjoint(loaded)
