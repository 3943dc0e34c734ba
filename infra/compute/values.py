"""What each source named in a ``service.toml`` is worth in the cloud."""

from collections.abc import Mapping

from infra import sealing
from infra.compute.dockerfiles import RDS_CA_FILE
from infra.data.stack import DataStack
from infra.data.users_database import NAME, PORT
from infra.services import Service
from infra.settings import Environment

DATABASE_USER = "backend"
"""The role that ``backend.migrate`` makes, and that the backend signs in as with IAM."""
CALLER_AUTH = "sigv4"
QUIET_SECONDS, RESUME_SECONDS, CONNECT_SECONDS = "300", "35", "5"
"""After how long without use the backend leaves its database alone, as long as Aurora then waits before it pauses; and
how long a connection may take, to one that may have to be resumed and to one that is always awake."""


def cloud_values(
    environment: Environment, service: Service, *, data: DataStack, urls: Mapping[str, str]
) -> dict[str, str]:
    """Every source for ``service``; ``urls`` has those of the services that it may call. A secret is worth its ARN."""
    users, model = data.users, environment.model
    home, *copies = sealing.regions(environment)
    return (
        environment.service_values()
        | {
            "self.port": str(service.port),
            "self.deregistration_seconds": str(service.grace.deregistration_seconds),
            "self.drain_seconds": str(service.grace.drain_seconds),
            "self.caller_auth": CALLER_AUTH,
            "users.host": users.cluster_endpoint.hostname,
            "users.port": str(PORT),
            "users.name": NAME,
            "users.user": DATABASE_USER,
            "users.ca_file": RDS_CA_FILE,
            "users.quiet_seconds": QUIET_SECONDS,
            "users.connect_seconds": CONNECT_SECONDS if environment.database.min_acu else RESUME_SECONDS,
            "users.admin_secret": users.admin_secret_arn,
            "memory.kind": "opensearch",
            "memory.url": data.memory.url,
            "memory.auth": CALLER_AUTH,
            "signing_keys.location": data.signing_keys_arn,
            "keys.service": data.words_key_arn,
            "keys.epochs": sealing.epoch_secrets(environment, home),
            "keys.epoch_secrets_key": sealing.secrets_alias_arn(environment, home),
            "keys.exports": f"arn:aws:s3:::{sealing.exports_bucket(environment, home)}",
            "keys.recovery_regions": ",".join(copies),
            "model.provider": model.provider,
            "model.name": model.name,
            "model.context_tokens": str(model.context_tokens),
            "model.reply_tokens": str(model.reply_tokens),
            "model.timeout_seconds": str(model.timeout_seconds),
            "model.concurrency": str(model.concurrency),
        }
        | ({"model.url": model.url} if model.url else {})
        | ({"model.api_key": model.api_key_secret} if model.api_key_secret else {})
        | {f"{name}.url": url for name, url in urls.items()}
        | {f"{name}.caller_auth": CALLER_AUTH for name in urls}
    )
