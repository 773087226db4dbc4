"""What the API server keeps and does per resource: watch cache, wire forms, subresources."""
