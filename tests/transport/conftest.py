"""A server that needs no credentials, for tests of what comes after them."""

from collections.abc import Iterator

import pytest
from harness import Server, test_config


@pytest.fixture(scope="session")
def trusting(server: Server) -> Iterator[Server]:
    """A server that trusts this host, on the database of `server`."""
    config = test_config(server.config.database_url, trusted_hosts=["127.0.0.1"])
    running = Server(config, server.root_password)
    yield running
    running.close()
