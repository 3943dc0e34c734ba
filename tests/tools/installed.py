"""What the tests of `tools` need installed."""

import pytest

from tools.sbom import TOOLS


def require_dependency_tools() -> None:
    """Fail where cyclonedx-py and pip-audit are not in the environment that `make test` makes for them."""
    if not (TOOLS / "pip-audit").is_file():
        pytest.fail("make .tools/dependencies/.stamp first")
