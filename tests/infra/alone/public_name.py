"""A public name that is given a certificate, instead of a zone to make one in."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from infra.compute.public_name import PublicName
from infra.setting_tables import Web
from tests.infra.compute.test_edge import CERTIFICATE


def make(app: cdk.App) -> None:
    """One stack."""
    stack = cdk.Stack(app, "Name")
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")
    web = Web(domain="api.example.com", certificate_arn=CERTIFICATE)
    PublicName(stack, "Name", name="sanctum-test", web=web, alarms=topic)
