"""The machinery under every kind: views, errors, names, quantities, selectors, patches, schema."""
