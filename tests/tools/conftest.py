"""What the tests of `tools` share with those of `infra`."""

from tests.infra.conftest import assembly, elsewhere

__all__ = ["assembly", "elsewhere"]
