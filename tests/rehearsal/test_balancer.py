"""Path patterns of the load balancer's rules as the front understands them."""

import re

import pytest

from rehearsal.fronts.balancer import pattern


@pytest.mark.parametrize(
    ("value", "path", "matches"),
    [
        ("/api/v1/*", "/api/v1/conversations", True),
        ("/api/v1/*", "/api/v1/", True),
        ("/api/v1/*", "/api/v1", False),
        ("/api/v1/*", "/x/api/v1/", False),
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthzz", False),
        ("/openapi.json", "/openapi_json", False),
        ("/v?/a", "/v1/a", True),
        ("/v?/a", "/v12/a", False),
    ],
)
def test_a_path_pattern_matches_as_the_load_balancers_documentation_says(value: str, path: str, matches: bool) -> None:
    assert bool(re.search(pattern(value), path)) is matches
