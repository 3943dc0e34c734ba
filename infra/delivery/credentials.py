"""Whose rights a command has, and in which account: a question to the wrong one would be answered with "nothing"."""

import boto3

from infra.preflight.aws import Aws, AwsError
from infra.setting_tables import Account

SESSION = "sanctum-delivery"
"""By which the trail tells who took a role on."""


class WrongAccount(Exception):
    """The credentials are of another account than the environment's."""


def in_account(account: Account, session: boto3.Session, *, role: str | None = None) -> Aws:
    """Questions to the account and region of an environment, with the rights of ``role`` where one is to be taken on.

    Raises:
        WrongAccount: the credentials are of another account.
        AwsError: there are none, they are not valid, or the role cannot be taken on.
    """
    aws = Aws(account.region, session)
    if role:
        aws = Aws(account.region, _taken_on(aws, role))
    own = aws.ask("sts", "get_caller_identity")["Account"]
    if own != account.id:
        raise WrongAccount(f"these credentials are of the account {own}, and the environment is in {account.id}")
    return aws


def _taken_on(aws: Aws, role: str) -> boto3.Session:
    try:
        given = aws.ask("sts", "assume_role", RoleArn=role, RoleSessionName=SESSION)["Credentials"]
    except AwsError as error:
        raise AwsError(error.code, f"{role} cannot be taken on (make bootstrap makes it): {error}") from error
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
