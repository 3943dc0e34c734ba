"""``python -m tests.broken``: commits that must not get on, in a clone; the pipeline's own commands have to stop them.

The commands of the builds of a commit are those in the synthesized pipeline. There they run beside each other, and the
tests in four parts; here one after the other. What later stages stop, from a pipeline that cannot be to a database
that would be replaced, the rehearsal deploys (``make rehearse``).
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.broken.commits import COMMITS, PASSED, Commit
from tests.infra.delivery.promise import pipeline_stacks
from tests.infra.delivery.read import builds_of, buildspec_of
from tests.infra.synth import ROOT
from tests.infra.template import read_application

BUILDS = ("Check", "TestServices", "TestSystem", "TestFaults", "TestRest", "Synth")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def stopped_by(said: str) -> str:
    """The goal at which ``make`` ended, of what it said."""
    found = re.findall(r"^make: \*\*\* \[[^]]*?([^\s:\]]+)\] Error", said, re.MULTILINE)
    return found[-1] if found else PASSED


class Clone:
    """A clone of this repository in ``folder``, in which the builds' own commands run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git("clone", "--quiet", str(ROOT), str(folder))
        if stopped_by(said := self._run("make synth FAST=1")) != PASSED:
            sys.exit(said[-4000:])
        self._commands = self._own_commands()

    def try_(self, commit: Commit | None, *tests: str) -> str:
        """The goal that stops ``commit``; then it is gone again. ``tests``: those that are run."""
        if commit:
            commit.make(self._folder)
            if commit.derived and stopped_by(said := self._run(commit.derived)) != PASSED:
                sys.exit(said[-4000:])
            self._git("commit", "--quiet", "--all", "--message", commit.subject)
        begun = time.monotonic()
        said, stopped = "", PASSED
        for command in self._commands:
            said = self._run(command, PYTEST_ADDOPTS=" ".join(tests))
            if (stopped := stopped_by(said)) != PASSED:
                break
        _say(f"{time.monotonic() - begun:5.0f} s  {commit.subject if commit else 'No change'}: stopped by {stopped}")
        if stopped != (commit.stopped_by if commit else PASSED):
            _say(said[-4000:])
        if commit:
            self._git("reset", "--quiet", "--hard", "HEAD^")
        return stopped

    def _own_commands(self) -> list[str]:
        stacks = pipeline_stacks(read_application(self._folder / "build" / "cdk.out"))
        builds = builds_of(stacks)
        lines = [line for name in BUILDS for line in buildspec_of(builds[name])["phases"]["build"]["commands"]]
        return [*dict.fromkeys(re.sub(r" PART=\w+$", "", line) for line in lines)]

    def _run(self, command: str, **variables: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "CI"))}
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._folder,
            env=kept | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def _git(self, *arguments: str) -> None:
        name = ("-c", "user.name=Somebody", "-c", "user.email=somebody@sanctum.example")
        at = ("-C", str(self._folder)) if self._folder.exists() else ()
        subprocess.run(["git", *name, *at, *arguments], check=True)


def main() -> int:
    """Try them all; 1 when one is stopped elsewhere than it should be."""
    argparse.ArgumentParser(prog="python -m tests.broken", description=__doc__).parse_args()
    every = dict.fromkeys(test for commit in COMMITS for test in commit.tests)
    with TemporaryDirectory() as folder:
        clone = Clone(Path(folder) / "clone")
        wrong = [clone.try_(None, *every) != PASSED]
        wrong += [clone.try_(commit, *commit.tests) != commit.stopped_by for commit in COMMITS]
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
