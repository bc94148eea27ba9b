"""What tests say of refused calls."""

import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refused(code: int, text: str | None = None) -> Iterator[None]:
    """The block must end with this fault; `text` is its whole text."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        yield
    assert caught.value.faultCode == code, caught.value
    if text is not None:
        assert caught.value.faultString == text
