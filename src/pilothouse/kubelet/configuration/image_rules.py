"""What images a KubeletConfiguration may exempt from verification: pure, with upstream's words for what is none.

Source: pkg/kubelet/images/pullmanager/image_pull_policies.go.
"""

from pilothouse.kubelet.images.credentials import repository
from pilothouse.kubelet.images.pull import default_tag


def pattern_error(pattern: str) -> str:
    """Why an entry of preloadedImagesVerificationAllowlist cannot be; empty when it can."""
    below = pattern.endswith("/*")
    name = pattern[:-1] if below else pattern
    if pattern != pattern.strip():
        return f"leading/trailing spaces are not allowed: {pattern}"
    if not name:
        return f"the supplied pattern is too short: {pattern}"
    if "*" in name:
        return f"not a valid wildcard pattern, only patterns ending with '/*' are allowed: {pattern}"
    if below:
        return "at least registry hostname is required" if name == "/" else ""
    try:
        default_tag(name)
    except ValueError as error:
        return f"failed to parse as an image name: {error}"
    return "" if name == repository(name) else f"neither tag nor digest is accepted in an image reference: {pattern}"
