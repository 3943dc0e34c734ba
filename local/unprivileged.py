"""Starts programs that end with their starter, and those that refuse to run as root without its rights.

Built on ``setpriv`` and ``unshare`` of util-linux, which every Linux distribution has. Elsewhere (macOS, not tried) a
program is started as it is: it outlives a starter that was killed with SIGKILL.
"""

import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

Command = tuple[str, ...]


def dying_with_parent(signal: str) -> Command:
    """What to put before a command line so that the kernel sends ``signal`` when the starting thread ends."""
    return ("setpriv", "--pdeathsig", signal) if sys.platform == "linux" and shutil.which("setpriv") else ()


@dataclass(frozen=True)
class Account:
    """A way to run a program without root's rights."""

    prefix: Command
    """What to put before its command line."""
    owner: int | None
    """Who must own the program's files; ``None`` where they are already the caller's."""


def accounts() -> list[Account]:
    """The ways there are on this machine, the one with the fewest rights first."""
    if os.geteuid() != 0:
        return [Account((), None)]
    nobody = pwd.getpwnam("nobody")
    drop = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--no-new-privs")
    return [
        Account((*drop, "--inh-caps=-all"), nobody.pw_uid),
        # Root without any capability, who sees himself as nobody: may enter root's folders.
        Account(("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}"), 0),
        # Where user namespaces are forbidden, as in most containers: nobody, whom no folder is closed to.
        Account((*drop, "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"), nobody.pw_uid),
    ]


def give(path: Path, owner: int | None) -> None:
    """Make ``owner`` the owner of a file, or of a folder and of all that is in it."""
    if owner is not None:
        for one in (path, *path.rglob("*")):
            os.chown(one, owner, -1, follow_symlinks=False)
