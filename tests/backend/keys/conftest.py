"""What the tests of keys share."""

from uuid import uuid4

import pytest

from tests.backend.keys.house import House
from tests.backend.process import Backend


@pytest.fixture
def house(deployed: Backend) -> House:
    """A database of the test's own with its first epoch."""
    backend = Backend(deployed.postgres, deployed.certificates, deployed.ai_core_port, f"keys_{uuid4().hex}")
    backend.copy(deployed)
    return House(backend)
