"""A plugin: nothing that a person said in the run stands in what any process wrote in it.

Searched are the logs below pytest's temporary folder, those that ``keep`` was told of before they were deleted, and
what tests and their processes printed. Whoever talks as ``tests.support.person.Person`` is searched for by itself. A
search that does not find the controls, one an encoding and one a worker, fails the run as well.
"""

import base64
import json
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest

from tests.support.canaries import Search, encodings, words
from tests.support.objection import fail_the_run

CONTROL = "a control: ünder the séa"
KEPT_CONTROL = "kept/control.log"

_written: list[tuple[str, bytes]] = []
"""Where and what, of all that is not a file any more when the search begins."""


def is_log(path: Path) -> bool:
    """Whether a file is what a process wrote, by its name."""
    return path.name == "log" or ".log" in path.suffixes or path.suffix in (".out", ".err") or "logs" in path.parts


def keep(folder: Path) -> None:
    """Have the logs in ``folder`` searched, though it is deleted before the end."""
    _written.extend(_logs(folder))


def planted(control: str) -> bytes:
    """``control`` in each encoding, as other programs write them."""
    word = control.encode()
    wrapped = [base64.b64encode(b"{'said':"[:start] + word + b"'}") for start in (6, 7, 8)]
    lines = [
        word,
        json.dumps({"said": control}).encode(),
        quote(control).encode(),
        rb"DETAIL: \x" + word.hex().encode(),
    ]
    return b"\n".join([*lines, *wrapped])


def _logs(folder: Path) -> list[tuple[str, bytes]]:
    found = (path for path in folder.rglob("*") if is_log(path.relative_to(folder)) and path.is_file())
    return [(str(path), path.read_bytes()) for path in found if not path.is_symlink()]


def _output_of_worker(config: pytest.Config) -> dict[str, Any] | None:
    """Where a worker of xdist leaves what the controller is to know; ``None`` in the controller."""
    return getattr(config, "workeroutput", None)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what the test, and every process that it started, printed."""
    for name, text in report.sections:
        if "stdout" in name or "stderr" in name:
            _written.append((f"{report.nodeid}: {name}", text.encode(errors="replace")))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand over what was said and what was kept; the printed is the controller's already."""
    output = _output_of_worker(session.config)
    if output is not None:
        kept = [(where, text) for where, text in _written if "::" not in where]
        output["said"], output["kept"] = sorted(words), [*kept, (KEPT_CONTROL, CONTROL.encode())]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the controller: what a worker handed over; nothing where it crashed, which fails the run."""
    words.update(getattr(node, "workeroutput", {}).get("said", ()))
    _written.extend(getattr(node, "workeroutput", {}).get("kept", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Search, and fail the run for each find and for a control that was not found."""
    if _output_of_worker(config) is not None:
        return
    folder = cast("pytest.TempPathFactory", vars(config)["_tmp_path_factory"]).getbasetemp()
    control = CONTROL.encode()
    search = Search(words | {control})
    controls = {("planted.log", name) for name in encodings(control)}
    controls |= {(where, "raw") for where, _ in _written if where == KEPT_CONTROL}
    found: dict[tuple[str, str], bytes] = {}
    for where, text in [*_logs(folder), *_written, ("planted.log", planted(CONTROL))]:
        found |= {(where, name): text for name, _ in search.find(text)}
    for where, name in sorted(found.keys() - controls):
        lines = enumerate(found[where, name].splitlines(), 1)
        line = next((n for n, text in lines if name in {form for form, _ in search.find(text)}), "of several")
        terminalreporter.write_line(f"A PERSON'S WORDS ({name}) IN {where}, line {line}", red=True)
    for where, name in sorted(controls - found.keys()):
        terminalreporter.write_line(f"THE SEARCH FOR WORDS IS BLIND: {name} in {where} was not found", red=True)
    if found.keys() != controls:
        fail_the_run("what people said stands in logs, or the search for it finds nothing")
