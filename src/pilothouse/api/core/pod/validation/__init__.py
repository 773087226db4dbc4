"""What a Pod, or a pod template, must satisfy.

Source: pkg/apis/core/validation/validation.go. One file a part of the spec; every function gets the part, the collector
and the path, and adds what is wrong, in upstream's words and order.
"""

from pilothouse.api.core.pod.validation.spec import validate, validate_create, validate_pod_template

__all__ = ["validate", "validate_create", "validate_pod_template"]
