"""The releases that are rehearsed can be made of the sources as they are."""

from rehearsal.places import ROOT
from rehearsal.steps import CHANGED


def test_everything_that_a_release_changes_stands_in_its_file_once() -> None:
    assert {(file, (ROOT / file).read_text().count(text)) for file, text in CHANGED} == {(f, 1) for f, _ in CHANGED}
