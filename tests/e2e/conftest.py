"""The installed product, shared by all scenarios; they play one after the other on the one real node."""

from collections.abc import Iterator

import pytest

from e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    installed = Stack.ensure()
    installed.kubectl("delete", "gemmadeployments", "--all", "--timeout=60s")
    yield installed
    installed.kubectl("delete", "gemmadeployments", "--all", "--timeout=60s")
