"""The controller runtime: what every controller shares."""
