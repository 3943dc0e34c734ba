"""Known rules, judged by well-kept tools: AWS Control Tower's in every check, cfn-lint and checkov beside it."""

from infra.assurance.rules.finding import Finding
from infra.assurance.rules.known import findings

__all__ = ["Finding", "findings"]
