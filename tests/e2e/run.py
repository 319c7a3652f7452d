#!/usr/bin/env python3
"""
Runs the end-to-end tests: all, or those whose names contain an argument.

  tests/e2e/run.py [--again] [WORD...]

--again leaves out those that ask no HAProxy, for runs with a second one
(HAPROXY in the environment, see scripts/fetch-haproxy). The last line is `e2e: N passed, M failed`.

Where at most SECOND_TRIES tests fail, each gets a second try of its own, since real peers on a
busy machine can be late. Whoever needed one is named: `second try: TEST`. There is none where a
lab did not end well (a sanitizer's report, a secret in a log).
"""
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import harness  # noqa: E402

TAIL = 40  # lines of each log that a failure shows
SECOND_TRIES = 3


class Result(unittest.TextTestResult):
    """Counts tests, not subtests, and shows the logs while they are still there."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.good, self.bad = set(), set()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good.add(test.id())

    def _failed(self, test):
        self.bad.add(getattr(test, "test_case", test).id())
        for lab in harness.labs:
            for name, text in lab.logs().items():
                self.stream.writeln(f"--- {lab.name} {name}")
                self.stream.writeln("\n".join(text.splitlines()[-TAIL:]))

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.bad.add(test.id())


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def run(tests):
    return unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(
        unittest.TestSuite(tests))


def second_tries(result, tests):
    """Runs again what failed, where that is few; what is good then moves from bad to good."""
    failed = [t for t in tests if t.id() in result.bad]
    if not 0 < len(result.bad) == len(failed) <= SECOND_TRIES:
        return
    for test in failed:
        print(f"second try: {test.id()}", flush=True)
        again = run([type(test)(test.id().split(".")[-1])])
        result.good |= again.good
        result.bad = result.bad - again.good | again.bad


def main():
    if os.geteuid() != 0:
        sys.exit("e2e: needs root (cgroup, bpffs, another user for the daemon)")
    harness.tokens.npm_ready()
    words = [word for word in sys.argv[1:] if word != "--again"]
    tests = [t for t in flatten(unittest.defaultTestLoader.discover(HERE))
             if all(word in t.id() for word in words)]
    if len(words) < len(sys.argv) - 1:
        tests = [t for t in tests if getattr(t, "asks_haproxy", True)]
    start = time.monotonic()
    result = run(tests)
    second_tries(result, tests)
    # A class whose setUpClass or cleanup failed is a failure of its own.
    failed = len(result.bad)
    version = ".".join(str(n) for n in harness.haproxy_version())
    print(f"{time.monotonic() - start:.0f} s, {harness.BUILD}, HAProxy {version}")
    print(f"e2e: {len(result.good)} passed, {failed} failed", flush=True)
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
