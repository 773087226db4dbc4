"""`jsonpatch.escapeKey`: a key as a part of a JSON pointer.

Sources: apiserver/pkg/cel/library/jsonpatch.go, RFC 6901.
"""

from pilothouse.api.machinery.cel.declarations import library

JSON_POINTERS = library(
    "jsonpatch.escapeKey string_jsonpatch_escapeKey_string (string) string",
    {"jsonpatch.escapeKey": lambda key: key.replace("~", "~0").replace("/", "~1")},
)
