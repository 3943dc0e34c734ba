#!/bin/sh
# Runs the tests and measures line coverage, in every process that they start. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
rm -f .coverage .coverage.*
status=0
.venv/bin/coverage run -m pytest -p tests.support.skips -n 2 --dist loadgroup -q "$@" || status=$?
.venv/bin/coverage combine --quiet
.venv/bin/coverage report || status=$((status ? status : $?))
exit "$status"
