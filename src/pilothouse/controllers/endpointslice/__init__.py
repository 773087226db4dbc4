"""EndpointSlice: publishes the addresses of the pods behind each Service, in slices that change as little as may be.

Read `pods` (who stands behind a Service), `endpoint` (what is published of a pod), `packing` (how endpoints are laid
into slices), then `controller`, which carries it out; `tracker` knows which of our own writes we have not seen yet.
API page: EndpointSlices; upstream: pkg/controller/endpointslice and staging/src/k8s.io/endpointslice.
"""

from pilothouse.controllers.endpointslice.controller import EndpointSliceController, EndpointSliceSettings

__all__ = ["EndpointSliceController", "EndpointSliceSettings"]
