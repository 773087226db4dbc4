"""Endpoints: the addresses behind each Service in one object, for clients that do not know EndpointSlices yet.

Read `subsets` (what an object says, and how that is cut where it is too much), then `controller`, which writes it.
API page: core/v1 Endpoints (deprecated, KEP-4974); upstream: pkg/controller/endpoint.
"""

from pilothouse.controllers.endpoints.controller import EndpointsController

__all__ = ["EndpointsController"]
