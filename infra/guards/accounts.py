"""Which accounts there are, and what each is for. Imports no CDK."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.delivery.settings import Pipeline
from infra.guards import services
from infra.guards.names import BOUNDARY, EXECUTION, READER, SIGNING, STACK, guard_role
from infra.settings import PIPELINE, Environment


@dataclass(frozen=True, kw_only=True)
class GuardedAccount:
    """One account, with everything of Sanctum that lives in it."""

    id: str
    region: str
    """Where its guards are deployed; they hold everywhere."""
    stages: tuple[str, ...]
    """Environments, and the pipeline where it lives here: the first words of the names of their stacks."""
    regions: tuple[str, ...]
    """Those it is used in, backups included."""
    model_regions: tuple[str, ...]
    """Those in which a language model may answer."""
    services: tuple[str, ...]
    """What is deployed here, as IAM calls it."""
    signed: tuple[str, ...]
    """The regions in which images are signed as they are pushed."""
    protected: bool
    """Nothing in it may be lost."""
    trusted: str | None
    """The pipeline's account, where it deploys to this one."""
    readers: tuple[str, ...]
    """ARNs of the pipeline's roles that may read what is deployed here."""

    @property
    def stack(self) -> str:
        """The stack of its guards, as ``cdk`` calls it."""
        return f"{STACK}-{self.id}"

    @property
    def signing_stacks(self) -> dict[str, str]:
        """The stacks with what signs images, as ``cdk`` calls them, by region."""
        return {region: f"{SIGNING}-{self.id}-{region}" for region in self.signed}

    def policy_arn(self, name: str) -> str:
        """The managed policy of that name in this account."""
        return f"arn:aws:iam::{self.id}:policy/{name}"

    @property
    def reader_arn(self) -> str:
        """The role that reads what is deployed here."""
        return f"arn:aws:iam::{self.id}:role/{READER}"

    @property
    def bootstrap(self) -> tuple[str, ...]:
        """The arguments of ``cdk bootstrap``: what deploys here has the rights of our policies, within the boundary."""
        policies = ",".join(map(self.policy_arn, EXECUTION))
        return (
            *(f"aws://{self.id}/{region}" for region in self.regions),
            f"--cloudformation-execution-policies={policies}",
            f"--custom-permissions-boundary={BOUNDARY}",
            *([f"--trust={self.trusted}"] if self.trusted else []),
        )


def guarded_accounts(environments: Sequence[Environment], pipeline: Pipeline | None) -> dict[str, GuardedAccount]:
    """Every account by its id."""
    delivered = {stage.environment for stage in pipeline.stages} if pipeline else set[str]()
    ids = {environment.account.id: environment.account.region for environment in environments}
    if pipeline:
        ids.setdefault(pipeline.account.id, pipeline.account.region)
    accounts: dict[str, GuardedAccount] = {}
    for account, region in sorted(ids.items()):
        own = [e for e in environments if e.account.id == account]
        tooling = pipeline if pipeline and pipeline.account.id == account else None
        # The pipeline keeps the templates of a region in that region.
        reached = [*own, *(e for e in environments if tooling and e.name in delivered)]
        deployed = [table for table, used in ((services.ENVIRONMENT, own), (services.PIPELINE, tooling)) if used]
        trusted = pipeline.account.id if pipeline and any(e.name in delivered for e in own) and not tooling else None
        accounts[account] = GuardedAccount(
            id=account,
            region=region,
            stages=(*(e.name for e in own), *([PIPELINE] if tooling else [])),
            regions=tuple(
                sorted({region, *(r for e in reached for r in (e.account.region, e.backup.copy_region) if r)})
            ),
            model_regions=tuple(sorted({r for e in own for r in (e.account.region, *e.model.destination_regions)})),
            services=tuple(sorted({name for table in deployed for names in table.values() for name in names})),
            signed=tuple(sorted({e.account.region for e in own if e.images.signed})),
            protected=all(e.protected for e in own),
            trusted=trusted,
            readers=tuple(
                f"arn:aws:iam::{pipeline.account.id}:role/{guard_role(e.name)}"
                for e in own
                if pipeline and e.name in delivered
            ),
        )
    return accounts
