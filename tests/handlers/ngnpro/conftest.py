"""What the tests of NGNPro's ports share."""

import pytest
from homes import Home
from soap import Clients


@pytest.fixture
def home(clients: Clients) -> Home:
    return Home(clients)
