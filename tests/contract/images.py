"""The images that upstream's conformance tests run, by the names they have there (test/utils/image/manifest.go).

A cluster that can reach a registry pulls them; ours finds stand-ins of the same behaviour under these names.
"""

_TESTS = "registry.k8s.io/e2e-test-images"
AGNHOST = f"{_TESTS}/agnhost:2.66.1"
"""One program with a sub-command for each need: netexec, mounttest, liveness, pause, ...

The tag is *assumed*: the newest that was seen; mutual TLS wants 2.59.
"""
BUSYBOX = f"{_TESTS}/busybox:1.37.0-1"
HTTPD = f"{_TESTS}/httpd:2.4.38-4"
HTTPD_NEW = f"{_TESTS}/httpd:2.4.39-4"
KITTEN = f"{_TESTS}/kitten:1.7"
NAUTILUS = f"{_TESTS}/nautilus:1.7"
NONEWPRIVS = f"{_TESTS}/nonewprivs:1.3"
NON_ROOT = f"{_TESTS}/nonroot:1.4"
"""Runs as the user 1234."""
PAUSE = "registry.k8s.io/pause:3.10"
