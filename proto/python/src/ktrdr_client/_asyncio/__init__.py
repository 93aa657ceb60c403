"""The parts of `aio.AsyncClient`."""
