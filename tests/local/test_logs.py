"""Log files."""

from pathlib import Path

from local.logs import rotate


def test_a_long_log_is_cut_while_its_writer_goes_on(tmp_path: Path):
    path = tmp_path / "x.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"a" * 11)
        rotate(path, limit=10)
        writer.write(b"b")
        rotate(path, limit=10)
    assert path.read_bytes() == b"b"
    assert (tmp_path / "x.log.1").read_bytes() == b"a" * 11


def test_a_log_that_is_not_there_yet_is_no_error(tmp_path: Path):
    rotate(tmp_path / "x.log")
    assert list(tmp_path.iterdir()) == []
