"""Whether AWS Backup takes care of Aurora."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import Inquiry

TYPE = "Aurora"


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """A plan backs up nothing of a service that the account has not opted in to, and says nothing."""
    if not inquiry.environment.backup.enabled:
        yield good("none: backup.enabled is false")
        return
    opted: dict[str, bool] = inquiry.aws.ask("backup", "describe_region_settings").get(
        "ResourceTypeOptInPreference", {}
    )
    if opted.get(TYPE):
        yield good("the account has opted in to backups of Aurora")
    elif TYPE in opted:
        yield bad(
            "the account has opted out of backups of Aurora: the plan would make none",
            f"`aws backup update-region-settings --region {inquiry.environment.account.region} "
            f"--resource-type-opt-in-preference {TYPE}=true`",
        )
    else:
        yield unknown("AWS does not say: a new account is opted in by its first vault", "run this again afterwards")
