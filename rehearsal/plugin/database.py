"""Aurora: a PostgreSQL server that was started beside the emulator takes the name and the administrator of a cluster.

MiniStack's own handlers write the record. A caller is let in by the front, which asks ``allowed``.
"""

import json
import os
from pathlib import Path
from typing import Any

from rehearsal.plugin import endpoints, ministack
from rehearsal.plugin.client import client
from rehearsal.plugin.endpoints import Endpoint
from rehearsal.plugin.handlers import Json, Made, extend, table, threaded
from rehearsal.plugin.journal import note

CLUSTER, INSTANCE = "AWS::RDS::DBCluster", "AWS::RDS::DBInstance"
_secrets: dict[str, str] = {}


def install() -> None:
    """Give a cluster its secret and its name, and take both away with it."""
    handler = table()[CLUSTER]
    create, delete = handler["create"], handler["delete"]

    def created(logical: str, properties: Json, stack: str) -> Made:
        major = properties["EngineVersion"].partition(".")[0]
        if major != os.environ["REHEARSAL_POSTGRES_MAJOR"]:
            raise ValueError(f"the template wants PostgreSQL {major}, here is {os.environ['REHEARSAL_POSTGRES_MAJOR']}")
        physical, attributes = create(logical, properties, stack)
        record = _cluster(physical)
        record["IAMDatabaseAuthenticationEnabled"] = properties.get("EnableIAMDatabaseAuthentication") is True
        _secrets[physical] = _administrator(physical, properties)
        endpoints.ALL[record["Endpoint"].lower()] = Endpoint(
            "database", physical, ministack.account(), ministack.region()
        )
        return physical, attributes

    def deleted(physical: str, properties: Json) -> None:
        endpoints.ALL.pop(_cluster(physical)["Endpoint"].lower(), None)
        client("secretsmanager").delete_secret(SecretId=_secrets.pop(physical), ForceDeleteWithoutRecovery=True)
        delete(physical, properties)

    handler.update(create=created, delete=deleted)
    extend(CLUSTER, lambda physical, _: {"MasterUserSecret.SecretArn": _secrets[physical]})
    threaded(CLUSTER)
    note("bypassed", f"{INSTANCE}: writer and readers are one server, which pauses never")


def allowed(host: str, port: int, user: str, token: str) -> str | None:
    """Why an IAM token does not open a connection of ``user``; nothing where it does."""
    cluster = endpoints.at(host)
    iam = ministack.module("core.rds_iam")
    evaluator = ministack.module("core.iam_evaluator")
    if _cluster(cluster.resource)["IAMDatabaseAuthenticationEnabled"] is not True:
        return "the cluster takes no IAM tokens"
    verified = iam.verify_rds_iam_token(
        token, hostname=host, port=port, db_user=user, region=cluster.region, account_id=cluster.account
    )
    if isinstance(verified, iam.RdsIamTokenError):
        return verified.code
    identifier = _cluster(cluster.resource)["DbClusterResourceId"]
    principal = evaluator.resolve_principal(verified.access_key_id, cluster.account)
    if isinstance(principal, evaluator.AuthError):
        return "nobody's token"
    context = evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action="rds-db:connect",
        resource_arn=f"arn:aws:rds-db:{cluster.region}:{cluster.account}:dbuser:{identifier}/{user}",
        region=cluster.region,
        principal_keys=principal.keys,
    )
    decision = evaluator.evaluate(context, principal.policies or [], *principal.limits).decision
    return None if decision == "Allow" else f"{principal.arn} may not rds-db:connect as {user}"


def _cluster(identifier: str) -> Any:
    return ministack.module("services.rds")._clusters[identifier]


def _administrator(identifier: str, properties: Json) -> str:
    """The secret that RDS keeps of the administrator; the server's own name and password."""
    value = json.loads(Path(os.environ["REHEARSAL_POSTGRES_ADMIN"]).read_text())
    if value["username"] != properties["MasterUsername"]:
        raise ValueError(f"the server's administrator is {value['username']}, not {properties['MasterUsername']}")
    key = properties["MasterUserSecret"]["KmsKeyId"]
    made = client("secretsmanager").create_secret(
        Name=f"rds!cluster-{identifier}", KmsKeyId=key, SecretString=json.dumps(value)
    )
    return made["ARN"]
