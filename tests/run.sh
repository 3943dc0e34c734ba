#!/bin/sh
# Runs the tests; arguments go to pytest. In CI (CI=true) line coverage is measured too, in every process that they
# start, and has to be enough; measuring takes a third more time.
set -eu
cd "$(dirname "$0")/.."
test='-m pytest -p tests.support.skips -p tests.support.privacy -q'
if [ -z "${CI:-}" ]; then
  exec .venv/bin/python $test -n 3 --dist loadgroup "$@"
fi
rm -f .coverage .coverage.*
status=0
.venv/bin/coverage run $test -n 3 --dist loadgroup "$@" || status=$?
# 1 is of tests alone: what a plugin objects to (words in a log, a skip that nobody allowed) has a status of its own.
if [ "$status" = 1 ]; then
  echo 'Once more, one by one: what failed beside other tests may have waited for a processor, and may not fail alone.'
  status=0
  sed -i 's/@[^]"@]*":/":/' .pytest_cache/v/cache/lastfailed # xdist adds a test's group to its name
  .venv/bin/coverage run $test --last-failed --last-failed-no-failures none "$@" || status=$?
fi
[ "$status" = 0 ] || exit "$status" # the names of what failed are the last that is printed
.venv/bin/coverage combine --quiet
.venv/bin/coverage report
