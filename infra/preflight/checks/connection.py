"""Whether the pipeline can read the repository."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import Located

CONSOLE = "open it in the console (Developer Tools, Settings, Connections) and finish the handshake with GitHub"


def ask(inquiry: Located) -> Iterator[Answer]:
    """The connection in ``environments/pipeline.toml`` exists, and somebody has finished its handshake."""
    pipeline, account = inquiry.pipeline, inquiry.place.account
    if pipeline is None:
        yield good("none: there is no environments/pipeline.toml")
        return
    if pipeline.account.id != account:
        yield unknown(
            f"it is in the pipeline's account {pipeline.account.id}, and these credentials are of {account}",
            f"`aws codeconnections get-connection --connection-arn {pipeline.source.connection_arn}` with "
            "credentials of that account must say AVAILABLE",
        )
        return
    arn = pipeline.source.connection_arn
    service = arn.split(":")[2]  # `codestar-connections` in those that are older
    found = inquiry.aws.find(
        "ResourceNotFoundException", service, "get_connection", region=pipeline.account.region, ConnectionArn=arn
    )
    if found is None:
        yield bad(f"{arn} does not exist", "make one in the console, and write its ARN into environments/pipeline.toml")
        return
    status = found["Connection"]["ConnectionStatus"]
    if status == "AVAILABLE":
        yield good(f"{found['Connection']['ConnectionName']} is available")
    else:
        yield bad(f"it is {status}", CONSOLE)
