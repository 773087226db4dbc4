"""One file a provider of the encryption configuration."""
