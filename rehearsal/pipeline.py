"""The pipeline's own stack: a person deploys it once, and from then on a build of it does, by a command of its own."""

import json
from pathlib import Path

from infra.guards.accounts import GuardedAccount
from infra.settings import PIPELINE
from local.failure import Failure
from rehearsal import cdk, deployed
from rehearsal.versions import Change, release

SELF_UPDATE = "sanctum-selfupdate"
"""What the CDK's library calls the build that updates the pipeline."""
_NAME = 'name=f"{NAME}-pipeline-{self._account.id}-{region}",'
SHORTER = Change("infra/delivery/stack.py", _NAME, 'name=f"{NAME}-pipeline-{region}",')
"""A shorter name of its buckets: nothing is wrong with it but that somebody has it."""


def life(account: GuardedAccount) -> str:
    """It is deployed, changes nothing of itself for nothing, and stays as it is where it cannot be what it should.

    Raises:
        Failure: it does not.
    """
    now = release("pipeline", zone=None).assembly
    _deploy(now, account)
    nothing = _update_nothing(now, account)
    refused = _update_in_vain(release("pipeline-refused", SHORTER, zone=None).assembly, account)
    _update_nothing(now, account)
    return f"{nothing}; a name that is taken is refused: {refused}"


def _deploy(assembly: Path, account: GuardedAccount) -> None:
    """As ``make bootstrap`` and ``make deploy`` do, once."""
    cdk.bootstrap(assembly, account)
    cdk.deploy(assembly, PIPELINE, name=PIPELINE, account=account.id)


def _update(assembly: Path, account: GuardedAccount, *, name: str) -> str:
    """By the command of the build that is deployed; what it said."""
    (build,) = deployed.client("codebuild", account.id).batch_get_projects(names=[SELF_UPDATE])["projects"]
    (command,) = json.loads(build["source"]["buildspec"])["phases"]["build"]["commands"]
    return cdk.run(command, assembly, name=name, account=account.id)


def _update_nothing(assembly: Path, account: GuardedAccount) -> str:
    """Of what is deployed already."""
    said = _update(assembly, account, name="pipeline-again")
    if said.count("(no changes)") != len(account.regions):
        raise Failure(f"something of the pipeline changed: {said[-2000:]}")
    return f"no changes in {len(account.regions)} stacks"


def _update_in_vain(assembly: Path, account: GuardedAccount) -> str:
    """``assembly`` is of ``SHORTER``; why CloudFormation refuses it."""
    names = {region: f"sanctum-pipeline-{region}" for region in account.regions}
    for name in names.values():
        deployed.client("s3").create_bucket(Bucket=name)  # of an account that is not the pipeline's
    try:
        _update(assembly, account, name="pipeline-refused")
    except Failure:
        for region, name in names.items():
            for said in _refusals(account, region):
                if name in said:
                    return said
        raise
    raise Failure("it was deployed")


def _refusals(account: GuardedAccount, region: str) -> list[str]:
    """What CloudFormation saw before it began to change the pipeline's stack in a region."""
    stack = PIPELINE if region == account.region else f"{PIPELINE}-{region}"
    events = deployed.client("cloudformation", account.id, region).describe_events(StackName=stack)["OperationEvents"]
    return [event["ValidationStatusReason"] for event in events if event.get("ValidationStatus") == "FAILED"]
