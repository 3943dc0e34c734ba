"""What the tests of `tools` share with those of `infra`."""

from tests.infra.conftest import assembly

__all__ = ["assembly"]
