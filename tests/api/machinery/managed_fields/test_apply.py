"""apply as a function: its laws, for any pods and managers."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.managed_fields import Application, apply, record_write
from pilothouse.api.machinery.managed_fields.conflicts import ApplyConflict
from pilothouse.api.machinery.managed_fields.merge import merge
from pilothouse.api.machinery.schema import Schema, Schemas

Json = dict[str, Any]
laws = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@lru_cache(maxsize=1)
def pod() -> Schema:
    return Schemas().kind("", "v1", "Pod")


def applied(live: Json, sent: Json, manager: str = "m", *, force: bool = False, second: int = 0) -> Json:
    """The object with its entries; what is null is left out, as decoding does."""
    before = orjson.dumps([live, sent])
    now = f"2030-01-01T00:00:{second:02d}Z"
    found = apply(live, sent, Application(
        schema=pod(), kind="Pod", api_version="v1", manager=manager, now=now, force=force,
    ))  # fmt: skip
    assert orjson.dumps([live, sent]) == before
    made: Json = bare(found.object)
    made["metadata"]["managedFields"] = found.entries
    return made


def bare(value: Any) -> Any:
    """The value without nulls and managed fields."""
    if isinstance(value, dict):
        return {key: bare(part) for key, part in value.items() if part is not None and key != "managedFields"}
    return [bare(part) for part in value] if isinstance(value, list) else value


def settled(value: Any) -> Any:
    """The value with lists in an order of their own, for where it does not matter."""
    if isinstance(value, dict):
        return {key: settled(part) for key, part in value.items()}
    return sorted((settled(part) for part in value), key=_text) if isinstance(value, list) else value


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def objects(needed: Json, **optional: Any) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(needed, optional=optional)


def pods(letters: str) -> st.SearchStrategy[Json]:
    """Pods whose maps and lists have these keys only; what is not in them is left to them, too."""
    labels = st.dictionaries(st.sampled_from(letters), st.sampled_from("12"), min_size=1)
    env = st.lists(
        objects({"name": st.sampled_from(letters)}, value=st.sampled_from("12")), unique_by=_name, min_size=1
    )
    container = objects({"name": st.sampled_from(letters)}, image=st.sampled_from("ij"), env=env)
    return objects(
        {"metadata": objects({"name": st.just("p")}, labels=labels,
                             finalizers=st.lists(st.sampled_from(letters), unique=True, min_size=1)),
         "spec": objects({"containers": st.lists(container, unique_by=_name, min_size=1)})},
    )  # fmt: skip


def _name(item: Json) -> str:
    name: str = item["name"]
    return name


def managers(made: Json) -> list[str]:
    return [entry["manager"] for entry in made["metadata"]["managedFields"]]


def without_times(made: Json) -> Any:
    entries: Iterable[Json] = made["metadata"]["managedFields"]
    return sorted(({**entry, "time": ""} for entry in entries), key=lambda entry: str(entry["manager"]))


@laws
@given(pods("abc"), pods("abc"))
def test_an_apply_twice_is_one(live: Json, sent: Json) -> None:
    once = applied(live, sent, force=True)
    assert applied(once, sent, second=9) == once


@laws
@given(pods("ab"), pods("cd"))
def test_what_was_applied_goes_without_a_trace(live: Json, sent: Json) -> None:
    started = applied(live, live, "other")
    there = applied(started, sent)
    gone = applied(there, {"metadata": {"name": "p"}}, second=1)
    assert gone == started


@laws
@given(pods("ab"), pods("cd"))
def test_what_another_has_stays(shared: Json, own: Json) -> None:
    """Who had the same as another, and more, leaves what the other has."""
    started = applied({}, shared, "other")
    there = applied(started, merge(pod(), shared, own), "m")
    left = applied(there, {"metadata": {"name": "p"}}, "m", second=1)
    assert left == started


@laws
@given(pods("ab"), pods("cd"))
def test_applies_of_different_fields_commute(one: Json, two: Json) -> None:
    there = applied(applied({}, one, "one"), two, "two")
    back = applied(applied({}, two, "two"), one, "one")
    assert settled(bare(there)) == settled(bare(back))
    assert without_times(there) == without_times(back)


@laws
@given(pods("abc"), pods("abc"))
def test_without_force_nothing_of_others_changes(live: Json, sent: Json) -> None:
    """Either it is refused, or whoever was there can apply the same again and change nothing."""
    there = applied({}, live, "one")
    try:
        found = applied(there, sent, "two")
    except ApplyConflict:
        forced = applied(there, sent, "two", force=True)
        assert bare(forced) != bare(there)
    else:
        assert settled(bare(applied(found, live, "one", second=1))) == settled(bare(found))


@laws
@given(pods("abc"), pods("abc"))
def test_an_update_takes_what_it_changes(live: Json, new: Json) -> None:
    there = applied({}, live, "one")
    made = {**new, "metadata": dict(new["metadata"])}
    record_write(made, there, schema=pod(), manager="edit", api_version="v1", now="2030-01-01T00:00:01Z")
    if "one" in managers(made):
        rest = applied(made, {"metadata": {"name": "p"}}, "one")
        assert "one" not in managers(rest)


def test_entries_of_another_version_go_where_none_is_served() -> None:
    there = applied({}, {"metadata": {"name": "p"}, "spec": {"nodeName": "n"}}, "one")
    there["metadata"]["managedFields"][0]["apiVersion"] = "v0"
    asked = Application(schema=pod(), kind="Pod", api_version="v1", manager="two", now="", versions=lambda _name: None)
    found = apply(there, {"metadata": {"name": "p"}, "spec": {"nodeName": "m"}}, asked)
    assert [entry["manager"] for entry in found.entries] == ["two"]


def test_nothing_claimed_nothing_listed() -> None:
    assert (
        applied({}, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})["metadata"]["managedFields"] == []
    )


def test_several_errors_are_told_at_once() -> None:
    with pytest.raises(StatusError) as caught:
        applied({}, {"metadata": {"name": "p", "x": 1}, "spec": {"y": 1}})
    assert caught.value.message == (
        "failed to create typed patch object (/p; /v1, Kind=Pod): errors:\n"
        "  .metadata.x: field not declared in schema\n  .spec.y: field not declared in schema"
    )
