"""Whether the account may use the model."""

from collections.abc import Iterator
from typing import cast

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import Inquiry

NO_PROFILE = "ResourceNotFoundException"
CATALOG = "open the model's page in the Amazon Bedrock console, and ask for access or accept its terms once"


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """The model is there and allowed, and a profile sends requests where the settings say and nowhere else."""
    settings = inquiry.environment.model
    if settings.provider != "bedrock":
        yield good(f"outside AWS, at {settings.host}: not asked")
        return
    models = {settings.name}
    if settings.destination_regions:
        profile = inquiry.aws.find(
            NO_PROFILE, "bedrock", "get_inference_profile", inferenceProfileIdentifier=settings.name
        )
        if profile is None:
            yield bad(f"there is no inference profile {settings.name} in this region", "choose another model.name")
            return
        arns = [cast("str", found["modelArn"]) for found in profile["models"]]
        regions, models = {arn.split(":")[3] for arn in arns}, {arn.rpartition("/")[2] for arn in arns}
        yield from _regions(settings.destination_regions, regions)
    for name in sorted(models):
        yield _access(name, inquiry.aws.ask("bedrock", "get_foundation_model_availability", modelId=name))


def _regions(written: tuple[str, ...], real: set[str]) -> Iterator[Answer]:
    if set(written) == real:
        yield good(f"the profile sends requests to {', '.join(sorted(real))}")
    else:
        names = ", ".join(f'"{region}"' for region in sorted(real))
        yield bad(
            f"the profile sends requests to {', '.join(sorted(real))}; the settings have {', '.join(written)}",
            f"write destination_regions = [{names}]",
        )


def _access(name: str, found: dict[str, object]) -> Answer:
    agreement = cast("dict[str, str]", found.get("agreementAvailability", {})).get("status")
    states = {
        "region": found.get("regionAvailability"),
        "entitlement": found.get("entitlementAvailability"),
        "agreement": agreement,
        "authorization": found.get("authorizationStatus"),
    }
    missing = {what: state for what, state in states.items() if state not in {"AVAILABLE", "AUTHORIZED"}}
    if not missing:
        return good(f"{name} may be used")
    said = ", ".join(f"{what} {state}" for what, state in missing.items())
    if None in missing.values() or "ERROR" in missing.values():
        return unknown(f"whether {name} may be used: {said}", CATALOG)
    return bad(f"{name} may not be used: {said}", CATALOG)
