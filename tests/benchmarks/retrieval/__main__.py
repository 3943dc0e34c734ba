"""``python -m tests.benchmarks.retrieval [tune|report]``: figures of one half of the set, and of each kind."""

import asyncio
import sys

from tests.benchmarks.retrieval.report import report_kinds, report_retrieval

if __name__ == "__main__":
    half = "tune" if sys.argv[1:] == ["tune"] else "report"
    asyncio.run(report_retrieval(half))
    asyncio.run(report_kinds(half))
