"""``python -O -m tests.infra.variants OUT [all]``: synthesize environments that differ, each in its own folder.

In one process, because loading the library costs more than all of them; under ``-O``, as the command does.
"""

import gc
import itertools
import json
import sys
import tempfile
import traceback
from pathlib import Path

import aws_cdk as cdk

from infra.guards.accounts import guarded_accounts
from infra.guards.signing import SigningStack
from infra.services import read_services
from infra.settings import read_environment
from infra.stage import EnvironmentStage
from tests.infra.settings_strategy import SYNTHESIZED, covering, file_of, write
from tests.infra.synth import ROOT


def main() -> None:
    """Write each assembly; what fails leaves ``failure.txt``."""
    gc.disable()
    out, everything = Path(sys.argv[1]), "all" in sys.argv[2:]
    services, context = read_services(), json.loads((ROOT / "cdk.json").read_text())["context"]
    for number, choice in enumerate(itertools.islice(covering(), None if everything else SYNTHESIZED)):
        folder = out / str(number)
        folder.mkdir(parents=True)
        try:
            with tempfile.TemporaryDirectory() as settings:
                environment = read_environment(write(file_of(choice), Path(settings)).stem, Path(settings))
            app = cdk.App(context=context, outdir=str(folder / "cdk.out"), stack_traces=False)
            EnvironmentStage(app, environment=environment, services=services)
            for account in guarded_accounts([environment], None).values():
                for region in account.signed:
                    SigningStack(app, account=account, region=region)
            app.synth()
        except Exception:  # noqa: BLE001  # told by the test, and the others are tried too
            (folder / "failure.txt").write_text(f"{choice}\n{traceback.format_exc()}")


if __name__ == "__main__":
    main()
