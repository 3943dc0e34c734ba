"""Which services of AWS these stacks are made of, and what they need of each. Imports no CDK.

A test holds it against the templates: a resource whose service is missing here, or a service that no resource needs,
fails.
"""

from collections.abc import Mapping

ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "AWS::ApplicationAutoScaling": ("application-autoscaling",),
    "AWS::Backup": ("backup", "backup-storage"),
    "AWS::Budgets": ("budgets",),
    "AWS::CertificateManager": ("acm",),
    "AWS::CloudTrail": ("cloudtrail",),
    "AWS::CloudWatch": ("cloudwatch",),
    "AWS::EC2": ("ec2",),
    "AWS::ECS": ("ecs", "ecr"),
    "AWS::ElasticLoadBalancingV2": ("elasticloadbalancing",),
    "AWS::Events": ("events",),
    "AWS::IAM": ("iam",),
    "AWS::KMS": ("kms",),
    "AWS::Lambda": ("lambda",),
    "AWS::Logs": ("logs",),
    "AWS::OpenSearchService": ("es",),
    "AWS::RDS": ("rds",),
    "AWS::Route53": ("route53",),
    "AWS::Route53Resolver": ("route53resolver",),
    "AWS::S3": ("s3",),
    "AWS::SNS": ("sns",),
    "AWS::Scheduler": ("scheduler",),
    "AWS::SecretsManager": ("secretsmanager",),
    "AWS::StepFunctions": ("states",),
    "AWS::VpcLattice": ("vpc-lattice",),
    "AWS::WAFv2": ("wafv2",),
}
"""By the namespace of the resource types; as IAM calls a service."""

PIPELINE: Mapping[str, tuple[str, ...]] = {
    "AWS::CodeBuild": ("codebuild", "cloudformation"),
    "AWS::CodePipeline": ("codepipeline", "codeconnections", "codestar-connections"),
    "AWS::Events": ("events",),
    "AWS::IAM": ("iam",),
    "AWS::KMS": ("kms",),
    "AWS::Logs": ("logs",),
    "AWS::S3": ("s3",),
    "AWS::SNS": ("sns",),
}
"""The same in the pipeline's own account."""

CALLED = ("rds-db", "tag", "vpc-lattice-svcs")
"""What roles call that no deployment does: tasks, and AWS Backup. Language models too, in regions of their own."""

GLOBAL = {"budgets", "iam", "route53", "sts"}
"""Answered in one region whatever the caller's is, so not to be bound to regions."""

LINKED_ROLES = {
    "ecs": "ecs.amazonaws.com",
    "application-autoscaling": "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing": "elasticloadbalancing.amazonaws.com",
    "es": "opensearchservice.amazonaws.com",
    "rds": "rds.amazonaws.com",
    "vpc-lattice": "vpc-lattice.amazonaws.com",
    "backup": "backup.amazonaws.com",
    "wafv2": "wafv2.amazonaws.com",
    "kms": "mrk.kms.amazonaws.com",
}
"""The service-linked roles that using a service for the first time makes."""

PASSED_TO = {
    "ec2": "vpc-flow-logs.amazonaws.com",
    "ecs": "ecs-tasks.amazonaws.com",
    "vpc-lattice": "ecs.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "states": "states.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "backup": "backup.amazonaws.com",
    "rds": "monitoring.rds.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "codepipeline": "codepipeline.amazonaws.com",
}
"""Whom the roles of these stacks are for."""
