"""OpenSearch is fetched once, whole or not at all, and what is missing for it is named with the command."""

import sys
from pathlib import Path

import pytest

from local import opensearch_binaries
from local.failure import Failure

MAVEN = """\
#!{python}
import sys, zipfile
options = dict(option[2:].split("=", 1) for option in sys.argv if option.startswith("-D") and "=" in option)
_, name, version, kind = options["artifact"].split(":")
with zipfile.ZipFile(f"{{options['outputDirectory']}}/{{name}}-{{version}}.{{kind}}", "w") as archive:
    archive.writestr(f"opensearch-{{version}}/lib/server.jar" if name == "opensearch" else "plugin.jar", name)
"""
"""Stands in for Maven: what it fetches is a few bytes."""


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def _jdk(home: Path, version: str) -> Path:
    _program(home / "bin", "java", "#!/bin/sh\n")
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home / "bin" / "java"


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without OpenSearch, Java and Maven."""
    monkeypatch.setattr(opensearch_binaries, "FOLDER", tmp_path / "tools")
    monkeypatch.setattr(opensearch_binaries, "INSTALLATION", tmp_path / "tools" / opensearch_binaries.VERSION)
    monkeypatch.setattr(opensearch_binaries, "JDKS", tmp_path / "jvm")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.parametrize("installed", [None, "17.0.15", "1.8.0_402", "20"])
def test_without_a_jdk_that_is_new_enough_the_command_is_named(tmp_path: Path, installed: str | None) -> None:
    if installed:
        _jdk(tmp_path / "jvm" / "old", installed)
    said = opensearch_binaries.missing()
    assert said
    assert "JDK 21" in said
    assert "apt-get install openjdk-21-jdk-headless" in said
    with pytest.raises(Failure, match="apt-get"):
        opensearch_binaries.java()


@pytest.mark.parametrize("version", ["21", "21.0.7", "25.0.1"])
def test_a_jdk_that_is_new_enough_is_found_beside_an_old_one(tmp_path: Path, version: str) -> None:
    _jdk(tmp_path / "jvm" / "a", "17.0.15")
    new = _jdk(tmp_path / "jvm" / "b", version)
    assert opensearch_binaries.java() == new


def test_java_home_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _jdk(tmp_path / "jvm" / "b", "21")
    named = _jdk(tmp_path / "named", "25")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "named"))
    assert opensearch_binaries.java() == named


def test_maven_is_missed_only_where_there_is_something_to_download(tmp_path: Path) -> None:
    _jdk(tmp_path / "jvm" / "new", "21")
    said = opensearch_binaries.missing()
    assert said
    assert "apt-get install maven" in said
    with pytest.raises(Failure, match="apt-get install maven"):
        opensearch_binaries.install()
    opensearch_binaries.INSTALLATION.mkdir()
    assert opensearch_binaries.missing() is None


def test_it_is_unpacked_once_with_its_plugin(tmp_path: Path) -> None:
    _program(tmp_path / "bin", "mvn", MAVEN.format(python=sys.executable))
    (tmp_path / "tools" / ".new-broken-off").mkdir(parents=True)
    installation = opensearch_binaries.install()
    assert (installation / "lib" / "server.jar").read_text() == "opensearch"
    assert (installation / "plugins" / "opensearch-knn" / "plugin.jar").read_text() == "opensearch-knn"
    assert sorted(path.name for path in (tmp_path / "tools").iterdir()) == [".lock", opensearch_binaries.VERSION]
    _program(tmp_path / "bin", "mvn", "#!/bin/sh\nexit 1\n")
    assert opensearch_binaries.install() == installation


def test_why_it_cannot_be_downloaded_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    _program(tmp_path / "bin", "mvn", "#!/bin/sh\necho '[INFO] x'\necho '[ERROR] no way to the network'\nexit 1\n")
    with pytest.raises(
        Failure, match=r"cannot download opensearch .*no way to the network.*: mend that and start again"
    ):
        opensearch_binaries.install()
    assert [path.name for path in (tmp_path / "tools").iterdir()] == [".lock"]
