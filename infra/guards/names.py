"""The names under which the guards of an account are known in it. Imports no CDK."""

BOUNDARY = "sanctum-boundary"
"""The managed policy beyond which no role of these stacks can go."""
EXECUTION = ("sanctum-execution", "sanctum-execution-roles")
"""The managed policies of the role by which CloudFormation deploys."""
STACK = "sanctum-guards"
"""The stack that holds them, one an account."""
READER = "sanctum-guard-reader"
"""The role that reads what is deployed here, for the pipeline's guard of stateful resources."""
SIGNING = "sanctum-signing"
"""The stack with what signs images, one an account and region in which they are to be."""
QUALIFIER = "hnb659fds"
"""By which the roles and buckets of ``cdk bootstrap`` are known; its default."""


def guard_role(environment: str) -> str:
    """The name of the pipeline's role that may take ``READER`` on in the account of ``environment``."""
    return f"sanctum-pipeline-guard-{environment}"
