"""Whether uses of keys will be written down."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry

MOST = 5
"""Trails that a region can have; not adjustable."""


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """There is a trail where the settings say that the account has one, and room for ours where they do not."""
    environment = inquiry.environment
    found = inquiry.aws.ask("cloudtrail", "describe_trails")["trailList"]
    others = [known for known in found if not known["Name"].startswith(environment.resource_name())]
    everywhere = [known["Name"] for known in others if known.get("IsMultiRegionTrail")]
    if environment.account.trail:
        if len(others) >= MOST:
            yield bad(f"the account has {len(others)} trails, which is all it can have", "write account.trail = false")
        elif everywhere:
            yield good(f"one will be made; {', '.join(everywhere)} costs nothing, and a second copy of events does")
        else:
            yield good("one will be made")
    elif others:
        yield good(f"the account has {', '.join(known['Name'] for known in others)}")
    else:
        yield bad("account.trail is false, and the account has none", "write account.trail = true")
