from typing import Any

from fakes.api import FakeApi
from pilothouse.api.types.admissionregistration_v1 import ValidatingAdmissionPolicy
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.validating_admission_policy_status import ValidatingAdmissionPolicyStatusController
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["*"]}


def policy(name: str, expression: str, **more: Any) -> dict[str, Any]:
    spec = {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": expression}]}
    return {"metadata": {"name": name, "generation": 2}, "spec": spec, **more}


def test_each_generation_is_checked_once() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = FakeApi(clock)
        group = "admissionregistration.k8s.io/v1"
        api.add(group, "ValidatingAdmissionPolicy", policy("right", "object.spec.replicas > 1"))
        api.add(group, "ValidatingAdmissionPolicy", policy("wrong", "object.spec.replica > 1"))
        seen = {"status": {"observedGeneration": 2}}
        api.add(group, "ValidatingAdmissionPolicy", policy("seen", "object.spec.replica > 1", **seen))
        async with Tasks() as tasks:
            run_all([ValidatingAdmissionPolicyStatusController], api.client, clock, chance, tasks)
            await clock.sleep(1)
            found = {name: api.get("validatingadmissionpolicies", "", name)["status"] for name in ("right", "wrong")}
            assert found["right"] == {"observedGeneration": 2, "typeChecking": {}}
            (warning,) = found["wrong"]["typeChecking"]["expressionWarnings"]
            assert warning["fieldRef"] == "spec.validations[0].expression"
            assert api.get("validatingadmissionpolicies", "", "seen")["status"] == {"observedGeneration": 2}
            calls = len(api.calls)
            await clock.sleep(1000)
            assert len(api.calls) == calls

    run(main)


def test_the_status_of_a_policy_in_a_cluster() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            made = policy("p", "object.spec.replica > 1")
            await client.create(ValidatingAdmissionPolicy, {"metadata": {"name": "p"}, "spec": made["spec"]})
            await clock.sleep(1)
            found = (await client.get(ValidatingAdmissionPolicy, "p")).raw
            assert found["status"]["observedGeneration"] == 1
            (warning,) = found["status"]["typeChecking"]["expressionWarnings"]
            assert warning["warning"].startswith("apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field")
            (entry,) = [one for one in found["metadata"]["managedFields"] if one.get("subresource") == "status"]
            assert (entry["manager"], entry["operation"]) == ("validatingadmissionpolicy-status", "Apply")
            right = {"spec": {"validations": [{"expression": "object.spec.replicas > 1"}]}}
            await client.patch(ValidatingAdmissionPolicy, "p", "", right)
            await clock.sleep(1)
            found = (await client.get(ValidatingAdmissionPolicy, "p")).raw
            assert found["status"]["observedGeneration"] == 2
            assert not found["status"].get("typeChecking")

    run(story)
