"""sig-node: $(NAME) in variables, commands, arguments and paths below a volume."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contract.api import Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.pods import phase
from contract.workloads import Workloads, container, pod

SOON_SECONDS = 120
"""framework.PodStartShortTimeout of upstream's."""
GONE_SECONDS = 300
ECHO = 'TEST_VAR=wrong echo "$(TEST_VAR)"'
ANNOTATION = {"fieldRef": {"fieldPath": "metadata.annotations['mysubpath']"}}
FOREVER = ["sh", "-c", "tail -f /dev/null"]
BELOW = {"name": "workdir1", "mountPath": "/subpath_mount", "subPathExpr": "$(ANNOTATION)/$(POD_NAME)"}
WHOLE = {"name": "workdir1", "mountPath": "/volume_mount"}


def _pod(variables: Mapping[str, Any], command: Sequence[str] = (), *mounts: Json, **more: Any) -> Json:
    """A pod with one container, one volume, and variables: a text each, or where it is from."""
    environment = [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in variables.items()
    ]
    script = {"command": [*command]} if command else {}
    each = container(name="dapi-container", image=BUSYBOX, env=environment, volumeMounts=[*mounts], **script)
    volumes = [{"name": "workdir1", "emptyDir": {}}]
    made = pod("var-expansion", each, volumes=volumes, terminationGracePeriodSeconds=1)
    return {**made, "metadata": {**made["metadata"], **more}}


def _is_refused(found: Json) -> bool:
    """Whether its container waits, since it cannot be made as it is wanted."""
    states = [each["state"] for each in found.get("status", {}).get("containerStatuses", [])]
    return [state.get("waiting", {}).get("reason") for state in states] == ["CreateContainerConfigError"]


def _runs(found: Json) -> bool:
    return bool(phase(found) == "Running")


@conformance("Variable Expansion should allow composing env vars into new env vars")
def test_variables_of_variables(workloads: Workloads, check: Checks) -> None:
    variables = {"FOO": "foo-value", "BAR": "bar-value", "FOOBAR": "$(FOO);;$(BAR)"}
    found = workloads.run(_pod(variables, ["sh", "-c", "env"]))
    check("succeeded", found.phase, "Succeeded")
    check("plain", {"FOO=foo-value", "BAR=bar-value"} <= {*found.lines})
    check("composed", "FOOBAR=foo-value;;bar-value" in found.lines)


@conformance("Variable Expansion should allow substituting values in a container's command")
def test_in_a_command(workloads: Workloads, check: Checks) -> None:
    found = workloads.run(_pod({"TEST_VAR": "test-value"}, ["sh", "-c", ECHO]))
    check("succeeded", found.phase, "Succeeded")
    check("substituted", found.log, "test-value\n")


@conformance("Variable Expansion should allow substituting values in a container's args")
def test_in_arguments(workloads: Workloads, check: Checks) -> None:
    made = _pod({"TEST_VAR": "test-value"}, ["sh", "-c"])
    made["spec"]["containers"][0]["args"] = [ECHO]
    found = workloads.run(made)
    check("succeeded", found.phase, "Succeeded")
    check("substituted", found.log, "test-value\n")


@conformance("Variable Expansion should allow substituting values in a volume subpath")
def test_in_a_path_below_a_volume(workloads: Workloads, check: Checks) -> None:
    mounts = [
        {"name": "workdir1", "mountPath": "/logscontainer", "subPathExpr": "$(POD_NAME)"},
        {"name": "workdir1", "mountPath": "/testcontainer"},
    ]
    script = "test -d /testcontainer/var-expansion;echo $?"
    found = workloads.run(_pod({"POD_NAME": "var-expansion"}, ["sh", "-c", script], *mounts))
    check("succeeded", found.phase, "Succeeded")
    check("made", found.log, "0\n")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(value, marks=conformance(f"Variable Expansion should fail substituting values in a {what}"))
        for value, what in (("..", "volume subpath with backticks"), ("/tmp", "volume subpath with absolute path"))
    ],
)
def test_a_path_that_leaves_the_volume(value: str, workloads: Workloads, check: Checks) -> None:
    mount = {"name": "workdir1", "mountPath": "/logscontainer", "subPathExpr": "$(POD_NAME)"}
    workloads.pods.create(_pod({"POD_NAME": value}, (), mount))
    found = workloads.until("var-expansion", _is_refused, SOON_SECONDS)
    check("refused", phase(found), "Pending")


@conformance(
    "Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a"
    " container"
)
def test_a_path_that_is_mended(workloads: Workloads, check: Checks) -> None:
    annotations = {"notmysubpath": "mypath"}
    variables = {"POD_NAME": "foo", "ANNOTATION": ANNOTATION}
    workloads.pods.create(_pod(variables, FOREVER, BELOW, WHOLE, annotations=annotations))
    found = workloads.until("var-expansion", _is_refused, SOON_SECONDS)
    check("not-running", phase(found), "Pending")
    workloads.pods.change("var-expansion", lambda item: item["metadata"]["annotations"].update(mysubpath="mypath"))
    check("mended", phase(workloads.until("var-expansion", _runs, SOON_SECONDS)), "Running")
    workloads.pods.delete("var-expansion")
    workloads.pods.until_gone("var-expansion", GONE_SECONDS)
    check("gone", not workloads.pods.exists("var-expansion"))


@conformance("Variable Expansion should succeed in writing subpaths in container")
def test_a_path_that_is_written_to(workloads: Workloads, check: Checks) -> None:
    annotations = {"mysubpath": "mypath"}
    variables = {"POD_NAME": "foo", "ANNOTATION": ANNOTATION}
    workloads.pods.create(_pod(variables, FOREVER, BELOW, WHOLE, annotations=annotations))
    check("running", phase(workloads.until("var-expansion", _runs, SOON_SECONDS)), "Running")
    workloads.execute("var-expansion", "/bin/sh", "-c", "touch /volume_mount/mypath/foo/test.log")
    check("written", workloads.execute("var-expansion", "/bin/sh", "-c", "test -f /subpath_mount/test.log"), "")
    workloads.pods.change("var-expansion", lambda item: item["metadata"]["annotations"].update(mysubpath="mynewpath"))
    check("still", phase(workloads.until("var-expansion", _runs, SOON_SECONDS)), "Running")
    workloads.pods.delete("var-expansion")
    workloads.pods.until_gone("var-expansion", GONE_SECONDS)
    check("gone", not workloads.pods.exists("var-expansion"))
