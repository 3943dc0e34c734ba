"""The table of ``docs/asvs.md`` has every requirement once, names only tests that exist, and counts right."""

import re
from collections import Counter
from typing import NamedTuple

from tests.support.named_tests import ROOT, TEST, missing

PAGE = (ROOT / "docs" / "asvs.md").read_text()

# A digit a requirement, in order: the level it belongs to (OWASP ASVS 5.0.0).
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123", "2.1": "122", "2.2": "112",
    "2.3": "12223", "2.4": "23", "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333",
    "3.6": "3", "3.7": "22333", "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222", "5.1": "2",
    "5.2": "112333", "5.3": "113", "5.4": "222", "6.1": "122", "6.2": "111111112222", "6.3": "11223333",
    "6.4": "112233", "6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222", "7.1": "222", "7.2": "1111",
    "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22", "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222", "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333",
    "10.5": "22222", "10.6": "22", "10.7": "222", "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222",
    "11.5": "23", "11.6": "23", "11.7": "33", "12.1": "12233", "12.2": "11", "12.3": "22223", "13.1": "2333",
    "13.2": "222223", "13.3": "2233", "13.4": "1222233", "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333", "16.1": "2", "16.2": "22222",
    "16.3": "2222", "16.4": "222", "16.5": "2223", "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip


class Row(NamedTuple):
    """A row of the table."""

    requirement: str
    level: str
    asks: str
    answer: str

    @property
    def kind(self) -> str:
        """How it is answered, in the words of the counts at the top."""
        if self.answer.startswith("open: "):
            return "open"
        if self.answer.startswith("does not apply"):
            return "does not apply"
        return "a test" if TEST.search(self.answer) else "a reason"


ROWS = [Row(*found) for found in re.findall(r"^\| ([\d.]+) \| (\d) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)]


def test_every_requirement_of_levels_1_and_2_is_in_the_table_once_and_in_order() -> None:
    wanted = [
        (f"{section}.{number}", level)
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, 1)
        if level in "12"
    ]
    assert len(wanted) == 70 + 183
    assert [(row.requirement, row.level) for row in ROWS] == wanted


def test_every_test_that_the_table_names_exists() -> None:
    answers = "\n".join(row.answer for row in ROWS)
    assert len(TEST.findall(answers)) > 100
    assert missing(answers) == []


def test_nothing_in_the_table_looks_like_a_test_and_is_none() -> None:
    assert [row.requirement for row in ROWS if row.answer.count("::") != len(TEST.findall(row.answer))] == []


def test_the_counts_at_the_top_are_those_of_the_table() -> None:
    counts = re.findall(r"^\| (a test|a reason|does not apply|open) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert {kind: int(count) for kind, count in counts} == Counter(row.kind for row in ROWS)


def test_what_is_open_is_listed_at_the_top() -> None:
    section = PAGE.partition("## Open\n")[2].partition("\n## ")[0]
    listed = [
        requirement
        for item in re.findall(r"^\* \*\*(.+?)\*\*", section, re.MULTILINE)
        for requirement in item.split(", ")
    ]
    assert sorted(listed) == sorted(row.requirement for row in ROWS if row.kind == "open")
