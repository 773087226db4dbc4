"""Schemas: what every kind of API level v1.37 looks like, and whether a given object looks like that.

`Schemas` reads the OpenAPI definitions that the package kubernetes-validate carries and hands out `Schema` nodes:
small immutable trees that decoding, pruning, patches, managed fields and OpenAPI all read. `check` holds an object
against its schema: closures compiled once a kind say in one pass that all is well; only where something is not does a
slower walk find the words, which are those of upstream's JSON decoder because clients show them.
"""

from pilothouse.api.machinery.schema.check import Findings, check
from pilothouse.api.machinery.schema.load import Schemas
from pilothouse.api.machinery.schema.node import Schema

__all__ = ["Findings", "Schema", "Schemas", "check"]
