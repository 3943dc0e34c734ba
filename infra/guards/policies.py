"""The policies of an account: how far any role can go, and what a deployment may do. Imports no CDK."""

from collections.abc import Iterable
from typing import Any

from infra.guards import services
from infra.guards.accounts import GuardedAccount
from infra.guards.names import BOUNDARY, EXECUTION, QUALIFIER

Statement = dict[str, Any]
Document = dict[str, Any]

WIDEN = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")
"""What gives rights to a role; IAM tells in each of them which boundary the role has."""
KEEP = (
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:Get*",
    "iam:List*",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
"""What a deployment does with roles beside that."""
SILENCE = ("cloudtrail:DeleteTrail", "cloudtrail:StopLogging")
UNSIGN = ("ecr:DeleteSigningConfiguration", "ecr:PutSigningConfiguration")
"""What decides whether images are signed: ``infra.guards.signing``."""
READ = ("ecs:ExecuteCommand", "es:ESHttp*", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery")
"""What shows people's data, or what is written about them."""
LOSE = (
    "backup:DeleteBackupVault",
    "backup:DeleteRecoveryPoint",
    "es:DeleteDomain",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "rds:DeleteDBCluster",
)
"""What takes people's data away for good."""
LOSE_SECRETS = ("secretsmanager:DeleteSecret",)
"""The same of secrets, but of epochs' keys: that these are destroyed is what makes erased people unreadable."""


def boundary(account: GuardedAccount) -> Document:
    """How far any role of these stacks can go, whatever its own policies say.

    Only services in use, only in the regions in use. No role can make a user or an access key, give rights to a role
    that has not this boundary, change the boundary or what a deployment may do, stop the trail, or leave the
    organisation; none but the backend's can touch the keys of epochs, which have no policy of their own; where all
    environments are protected, none can take people's data away for good (IAM guide, "Permissions boundaries for IAM
    entities").
    """
    epochs = _epochs(account)
    regional = sorted({*account.services, *(services.CALLED if account.model_regions else ())} - services.GLOBAL)
    return _document(
        _allow("Regional", _all_of(regional), condition=_in(account.regions)),
        *([_allow("Models", ["bedrock:*"], condition=_in(account.model_regions))] if account.model_regions else []),
        _allow("Global", _all_of({*account.services, "sts"} & services.GLOBAL - {"iam"})),
        _allow("Roles", [*WIDEN, *KEEP, "iam:CreateServiceLinkedRole", "iam:PassRole"]),
        _bootstrap_version(account),
        {
            "Sid": "NoRoleWithoutThisBoundary",
            "Effect": "Deny",
            "Action": list(WIDEN),
            "Resource": "*",
            "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": account.policy_arn(BOUNDARY)}},
        },
        _deny("NoRoleOfTheDeployment", ["iam:*"], f"arn:aws:iam::{account.id}:role/cdk-{QUALIFIER}-*"),
        _deny("NoSilence", SILENCE, "*"),
        *([_deny("NoUnsigning", UNSIGN, "*")] if account.signed else []),
        *([_deny("NoEpochKeys", ["secretsmanager:*"], epochs) | _but_for(_keepers(account))] if epochs else []),
        *([_deny("NoLoss", LOSE, "*")] if account.protected else []),
        *([_deny_elsewhere("NoLossOfSecrets", LOSE_SECRETS, epochs)] if account.protected and epochs else []),
    )


def reading(account: GuardedAccount) -> Document:
    """What the pipeline's guard may look at: templates of our stacks, and which stacks there are.

    ``ListStacks`` knows no resources (Service Authorization Reference, "AWS CloudFormation"); what it tells is names.
    """
    stacks = [f"arn:aws:cloudformation:*:{account.id}:stack/{stage}-*" for stage in account.stages]
    return _document(
        _allow("Templates", ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], stacks),
        _allow("Names", ["cloudformation:ListStacks"]),
    )


def read_by(account: GuardedAccount) -> Document:
    """Who may take that role on: the pipeline's own roles for it, by name, so that they need not be there yet."""
    trusted = sorted({reader.split(":")[4] for reader in account.readers})
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{trusted_account}:root" for trusted_account in trusted]},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": list(account.readers)}},
        }
    )


def execution(account: GuardedAccount) -> dict[str, Document]:
    """What CloudFormation may do in a deployment, by the name of the policy."""
    regional = sorted({*account.services} - services.GLOBAL)
    return dict(
        zip(EXECUTION, (_services(account, regional), _roles(account)), strict=True),
    )


def _services(account: GuardedAccount, regional: list[str]) -> Document:
    """Everything of the services in use, but what reads data."""
    assets = [f"arn:aws:s3:::cdk-{QUALIFIER}-assets-{account.id}-{region}/*" for region in account.regions]
    others = _all_of({*account.services} & services.GLOBAL - {"iam"})
    epochs = _epochs(account)
    return _document(
        _allow("Regional", _all_of(regional), condition=_in(account.regions)),
        *([_allow("Global", others)] if others else []),
        _bootstrap_version(account),
        _deny("NoData", READ, "*"),
        *([_deny("NoUnsigning", UNSIGN, "*")] if account.signed else []),
        _deny_elsewhere("NoOtherFiles", ["s3:GetObject*"], assets),
        *([_deny("NoEpochKeys", ["secretsmanager:*"], epochs)] if epochs else []),
        # The administrator's password of a database. The other secrets are read by CloudFormation itself.
        _deny("NoPasswords", ["secretsmanager:GetSecretValue"], f"arn:aws:secretsmanager:*:{account.id}:secret:rds!*"),
    )


def _roles(account: GuardedAccount) -> Document:
    """Roles of these stacks within the boundary, passed only to the services that they are for."""
    used = account.services
    roles = [
        f"arn:aws:iam::{account.id}:role/{prefix}{stage}-*" for stage in account.stages for prefix in ("", "sanctum-")
    ]
    within = {"StringEquals": {"iam:PermissionsBoundary": account.policy_arn(BOUNDARY)}}
    passed = sorted({name for s, name in services.PASSED_TO.items() if s in used})
    linked = sorted({name for s, name in services.LINKED_ROLES.items() if s in used})
    return _document(
        # No policies of AWS: those of their own are enough, and say more narrowly what for.
        _allow("Widen", [a for a in WIDEN if a != "iam:AttachRolePolicy"], roles, within),
        _allow("Keep", KEEP, roles),
        _allow("Pass", ["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": passed}}),
        *(
            [
                _allow(
                    "Linked",
                    ["iam:CreateServiceLinkedRole"],
                    f"arn:aws:iam::{account.id}:role/aws-service-role/*",
                    {"StringEquals": {"iam:AWSServiceName": linked}},
                )
            ]
            if linked
            else []
        ),
        _allow("LookAtLinked", ["iam:GetRole"], f"arn:aws:iam::{account.id}:role/aws-service-role/*"),
    )


def _epochs(account: GuardedAccount) -> list[str]:
    """The keys of every environment's epochs, which tasks make: see ``infra.sealing``."""
    if "secretsmanager" not in account.services:
        return []
    return [
        f"arn:aws:secretsmanager:{region}:{account.id}:secret:sanctum-{stage}-epochs/*"
        for stage in account.stages
        for region in account.regions
    ]


def _keepers(account: GuardedAccount) -> list[str]:
    """The roles that read, make and destroy them."""
    backends = [f"arn:aws:iam::{account.id}:role/sanctum-{stage}-backend" for stage in account.stages]
    return [f"{backend}{task}" for backend in backends for task in ("", "-prepare-keys", "-roll-keys")]


def _bootstrap_version(account: GuardedAccount) -> Statement:
    """Every template asks with which version of ``cdk bootstrap`` the account was prepared."""
    parameter = f"arn:aws:ssm:*:{account.id}:parameter/cdk-bootstrap/{QUALIFIER}/version"
    return _allow("BootstrapVersion", ["ssm:GetParameter", "ssm:GetParameters"], parameter)


def _document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    sid: str, actions: Iterable[str], resource: str | list[str] = "*", condition: dict[str, Any] | None = None
) -> Statement:
    allowed = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
    return allowed | ({"Condition": condition} if condition else {})


def _deny(sid: str, actions: Iterable[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": resource}


def _deny_elsewhere(sid: str, actions: Iterable[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "NotResource": resources}


def _but_for(roles: list[str]) -> Statement:
    return {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": roles}}}


def _all_of(names: Iterable[str]) -> list[str]:
    return [f"{name}:*" for name in sorted(names)]


def _in(regions: Iterable[str]) -> dict[str, Any]:
    return {"StringEquals": {"aws:RequestedRegion": list(regions)}}
