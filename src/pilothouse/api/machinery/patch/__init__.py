"""The patch formats: each a pure function from a document and a patch to a new document."""
