"""OpenAPI: the documents from which clients learn what the server serves, built from schemas and resources.

`operations` lists what can be done with a kind; `v3` and `v2` write that, and the definitions it needs, in the two
dialects; `gnostic` puts a v2 document into the protobuf form that kubectl up to 1.27 insists on; `Documents` builds
each document when it is first asked for. kubectl reads field names and descriptions (explain), patch merge keys
(apply), and whether PATCH takes `dryRun` and `fieldValidation`.
"""

from pilothouse.api.machinery.openapi.documents import Documents

__all__ = ["Documents"]
