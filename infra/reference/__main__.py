"""``python -m infra.reference CDK_OUT`` (``make reference``): write the pages of ``docs/`` that come from the code."""

import sys
from pathlib import Path

from infra.reference.pages import write_pages


def main() -> None:
    """Write the pages from the cloud assembly that is named, or ``build/cdk.out``."""
    assembly = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/cdk.out")
    if not (assembly / "manifest.json").exists():
        sys.exit(f"{assembly} is no cloud assembly: run `make synth` first")
    for path in write_pages(assembly):
        print(path)  # noqa: T201  # a command's answer


if __name__ == "__main__":
    main()
