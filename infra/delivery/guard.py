"""``python -m infra.delivery.guard ENV CDK_OUT [--role ARN]`` (``make guard ENV=…``).

Compares what is deployed of an environment with what was synthesized, says what a deployment would change, and refuses
one that would remove, replace or less protect what is stateful without a row in ``infra/waivers.toml``. Asks and reads
only. Ends with 0 when all is kept, with 1 when a waiver is wanted, and with 2 when something is not known. Imports no
CDK.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import boto3

from infra.assurance.refusal import Refused
from infra.delivery.credentials import WrongAccount, in_account
from infra.delivery.deployed import Unsettled, read_deployed, write_assembly
from infra.delivery.settings import read_pipeline
from infra.delivery.stacks import deployed_as
from infra.preflight.aws import AwsError
from infra.settings import Environment, InvalidSettings, read_environment, read_environments
from tools import template_diff

WAIVERS: Final = Path(__file__).parents[1] / "waivers.toml"
EVIDENCE: Final = Path("build/evidence/evidence.md")
KEPT: Final = template_diff.KEPT
LOST: Final = template_diff.WANTED
UNKNOWN: Final = template_diff.UNKNOWN


def main(arguments: Sequence[str] | None = None, *, session: boto3.Session | None = None) -> int:
    """Compare, say what came out, and return what the process ends with."""
    parser = argparse.ArgumentParser(prog="python -m infra.delivery.guard", description=__doc__)
    parser.add_argument("environment", help="name of a file in environments/")
    parser.add_argument("assembly", metavar="CDK_OUT", type=Path)
    parser.add_argument("--role", metavar="ARN", help="take this role on, which may read what is deployed")
    parser.add_argument("--waivers", metavar="FILE", type=Path, default=WAIVERS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        environment = read_environment(options.environment)
        aws = in_account(environment.account, session or boto3.Session(), role=options.role)
        deployed = read_deployed(environment, aws)
        place = f"{environment.name} (account {environment.account.id})"
        print(f"The proof of these templates: {_proof()}")  # noqa: T201  # a command's answer
        if deployed:
            print(f"What a deployment changes in {place}:", flush=True)  # noqa: T201  # a command's answer
        else:
            print(f"Nothing is deployed in {place}, so nothing can be lost:", flush=True)  # noqa: T201  # a command's answer
        with tempfile.TemporaryDirectory() as folder:
            write_assembly(deployed, Path(folder))
            return template_diff.main(Path(folder), synthesized(environment, options.assembly), options.waivers)
    except (AwsError, InvalidSettings, Refused, Unsettled, WrongAccount) as error:
        print(f"{options.environment}: {error}", file=sys.stderr)  # noqa: T201  # a command's answer
        return UNKNOWN


def synthesized(environment: Environment, assembly: Path) -> Path:
    """The folder of an assembly in which the stacks of the environment are."""
    stage = deployed_as(environment.name, read_pipeline(read_environments())).removesuffix("/*")
    return assembly / f"assembly-{stage.replace('/', '-')}"


def _proof() -> str:
    """How many claims hold, as the evidence page says, where there is one."""
    if not EVIDENCE.is_file():
        return f"{EVIDENCE} is not here (make evidence)"
    counted = (line for line in EVIDENCE.read_text().splitlines() if " claims: " in line)
    return f"{next(counted, 'of a form that is not known')} ({EVIDENCE})"


if __name__ == "__main__":
    sys.exit(main())
