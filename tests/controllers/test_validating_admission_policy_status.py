from typing import Any

from fakes.api import FakeApi
from pilothouse.controllers.validating_admission_policy_status import ValidatingAdmissionPolicyStatusController
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
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
