"""The parts of `client.Client`."""
