"""The policies that AWS keeps, from copies: what a role may do by one is a fact of the application.

Each file beside this one in `managed/` is a policy's default version as AWS publishes it, one statement a line:
<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>. There are those that the CDK's own
library attaches, and the common ones. A policy without a copy is refused: guessing what it allows would be silence.
"""

import json
from functools import cache
from pathlib import Path
from typing import Final

from infra.assurance.model.assembly import Json

FOLDER: Final = Path(__file__).with_name("managed")
_OWNER: Final = ":iam::aws:policy/"


def is_aws_managed(arn: str) -> bool:
    """Whether the ARN names a policy of AWS."""
    return _OWNER in arn


@cache
def aws_managed(arn: str) -> Json | None:
    """The document of AWS's policy with this ARN, for the ARN's partition; None without a copy."""
    file = FOLDER / f"{arn.rpartition('/')[2]}.json"
    if not file.is_file():
        return None
    partition = arn.split(":")[1]
    return json.loads(file.read_text().replace('"arn:aws:', f'"arn:{partition}:'))
