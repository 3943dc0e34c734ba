"""Every check, a topic a file. ``CREDENTIALS`` comes first: without them, or with those of another account, there is
nothing to ask."""

from infra.preflight.check import Check, Inquiry, Located, PipelineInquiry
from infra.preflight.checks import (
    backup_opt_in,
    bootstrap,
    builds,
    certificate,
    connection,
    credentials,
    database,
    endpoints,
    guards,
    hosted_zone,
    linked_roles,
    memory,
    model,
    model_key,
    prefix_lists,
    quotas,
    signing,
    trail,
    words_key,
    zones,
)

CREDENTIALS: Check[Located] = Check("Credentials", credentials.ask)
CHECKS: tuple[Check[Inquiry], ...] = (
    Check("Guards", guards.ask),
    Check("Bootstrap", bootstrap.ask),
    Check("Zones", zones.ask),
    Check("Endpoints", endpoints.ask),
    Check("Prefix lists", prefix_lists.ask),
    Check("Fargate quota", quotas.ask_fargate),
    Check("Quotas", quotas.ask_others),
    Check("Service-linked roles", linked_roles.ask),
    Check("Database", database.ask),
    Check("Memory", memory.ask),
    Check("Backup", backup_opt_in.ask),
    Check("Words key", words_key.ask),
    Check("Model", model.ask),
    Check("Key of the model", model_key.ask),
    Check("Certificate", certificate.ask),
    Check("Hosted zone", hosted_zone.ask),
    Check("Trail", trail.ask),
    Check("Signatures", signing.ask),
    Check("Connection to GitHub", connection.ask),
)
PIPELINE_CHECKS: tuple[Check[PipelineInquiry], ...] = (
    Check("Guards", guards.ask),
    Check("Bootstrap", bootstrap.ask),
    Check("Connection to GitHub", connection.ask),
    Check("Builds", builds.ask),
)
