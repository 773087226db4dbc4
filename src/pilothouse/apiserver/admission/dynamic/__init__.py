"""Dynamic admission: what users have policies in CEL, and webhooks, refuse or change."""
