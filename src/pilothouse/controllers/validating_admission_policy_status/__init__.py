"""The status of ValidatingAdmissionPolicies: what is wrong with the types of their expressions.

Read `type_checking`, then `controller`, which tells. API page: admissionregistration.k8s.io/v1; upstream:
pkg/controller/validatingadmissionpolicystatus.
"""

from pilothouse.controllers.validating_admission_policy_status.controller import (
    ValidatingAdmissionPolicyStatusController,
)

__all__ = ["ValidatingAdmissionPolicyStatusController"]
