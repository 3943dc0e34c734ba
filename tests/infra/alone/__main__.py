"""``python -O -m tests.infra.alone OUT``: synthesize the application in the current folder into ``OUT/cdk.out``, and
each file beside this one into a folder of ``OUT/alone``.

In one process, because loading the library costs more than all that is alone; under ``-O``, as the command does.
"""

import importlib
import json
import sys
from pathlib import Path

from tools import synth


def main(out: Path) -> None:
    """Write each assembly."""
    synth.main(out / "cdk.out")
    import aws_cdk as cdk  # noqa: PLC0415  # it starts the library, with the environment that `synth` makes

    context = json.loads(Path("cdk.json").read_text())["context"]
    for name in sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")):
        app = cdk.App(context=context, outdir=str(out / "alone" / name), stack_traces=False)
        importlib.import_module(f"tests.infra.alone.{name}").make(app)
        app.synth()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
