"""CEL, the expressions of admission policies, match conditions, CRD rules and device selectors."""
