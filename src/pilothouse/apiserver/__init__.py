"""The API server: the only way to the store, and the only thing all other components talk to."""
