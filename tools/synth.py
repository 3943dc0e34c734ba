"""`python -O tools/synth.py OUT`: what `cdk synth '**' --no-validation --output OUT` writes, for less.

The command reads cdk.json, tells the application by its environment and runs it; so does this. That both write the
same bytes is held by a test. `make synth FAST=1` runs it, from the repository's folder.
"""

import json
import os
import runpy
import shutil
import sys
from pathlib import Path
from typing import Final

TOLD_BY_THE_COMMAND: Final = {
    "aws:cdk:bundling-stacks": ["**"],
    "aws:cdk:disable-version-reporting": True,
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:enable-path-metadata": True,
    "@aws-cdk/core:failSynthOnValidationErrors": False,
}
"""Context that is not in cdk.json."""


def main(out: Path) -> None:
    """Run the application."""
    shutil.rmtree(out, ignore_errors=True)  # of stages that are gone, it would keep the folders
    context = json.loads(Path("cdk.json").read_text())["context"] | TOLD_BY_THE_COMMAND
    told = {"CDK_OUTDIR": str(out.absolute()), "CDK_CONTEXT_JSON": json.dumps(context), "CDK_VALIDATION": "false"}
    os.environ.update(told)
    sys.path.insert(0, str(Path.cwd()))
    runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - its name, and OUT
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
