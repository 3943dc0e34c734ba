"""The page says what happened, and everything that did not."""

import json
from pathlib import Path

from rehearsal.report import Seen, page


def test_the_page_has_every_step_and_every_line_of_the_journal_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    notes = [("recorded", "AWS::Budgets::Budget"), ("recorded", "AWS::Budgets::Budget"), ("bypassed", "ECR: no TLS")]
    journal.write_text("".join(json.dumps({"kind": kind, "what": what}) + "\n" for kind, what in notes))
    text = page([Seen("deploy", 12.4, "a | b\nc")], 34.6, journal)
    assert text.count("* `AWS::Budgets::Budget`") == 1
    assert "* ECR: no TLS" in text
    assert r"| deploy | 12 | a \| b c |" in text
    assert "35 seconds in all" in text
