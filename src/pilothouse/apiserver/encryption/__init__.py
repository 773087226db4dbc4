"""Encryption of chosen resources at rest: `configuration` says which, `ciphers` how, `store` does it."""
