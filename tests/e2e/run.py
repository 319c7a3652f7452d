#!/usr/bin/env python3
"""
Runs the end-to-end tests: all, or those whose names contain an argument.

  tests/e2e/run.py [--again] [--jobs N] [WORD...]

--again leaves out those that ask no HAProxy, for runs with a second one
(HAPROXY in the environment, see scripts/fetch-haproxy). --jobs N runs that many classes side by
side, and those with `alone = True` after them. The last line is `e2e: N passed, M failed`.

Where at most SECOND_TRIES tests fail, each gets a second try of its own, since real peers on a
busy machine can be late. Whoever needed one is named: `second try: TEST`. There is none where a
lab did not end well (a sanitizer's report, a secret in a log), nor for a class with `once = True`.
"""
import argparse
import collections
import contextlib
import io
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import crew  # noqa: E402
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


def run(tests, stream=sys.stdout):
    return unittest.TextTestRunner(stream=stream, verbosity=2, resultclass=Result).run(
        unittest.TestSuite(tests))


def member(number, tests):
    """One of a crew: whatever a class prints is part of its answer."""
    harness.procs.use_ports(crew.FIRST_PORT + number * crew.PORTS, crew.PORTS)

    def answer(name):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            result = run([t for t in tests if crew.name_of(t) == name], said)
        return result.good, result.bad, said.getvalue()
    crew.member(answer)


def run_crew(jobs, tests):
    """(good, bad) of all tests: first those that a crew can run, then the others by ourselves."""
    good, bad = set(), set()
    together = [t for t in tests if not getattr(t, "alone", False)]

    def done(name, its_good, its_bad, said):
        good.update(its_good)
        bad.update(its_bad)
        print(said, end="", flush=True)
    names = collections.Counter(crew.name_of(t) for t in together)
    crew.run([sys.executable, os.path.abspath(__file__)], jobs, list(names), done)
    result = run([t for t in tests if getattr(t, "alone", False)])
    return good | result.good, bad | result.bad


def second_tries(good, bad, tests):
    """Runs again what failed, where that is few; what is good then moves from bad to good."""
    failed = [t for t in tests if t.id() in bad and not getattr(t, "once", False)]
    if not 0 < len(bad) == len(failed) <= SECOND_TRIES:
        return
    for test in failed:
        print(f"second try: {test.id()}", flush=True)
        again = run([type(test)(test.id().split(".")[-1])])
        good |= again.good
        bad -= again.good
        bad |= again.bad


def main():
    parser = argparse.ArgumentParser(description="Runs the end-to-end tests.")
    parser.add_argument("--again", action="store_true", help="only those that ask HAProxy")
    parser.add_argument("--jobs", type=int, default=1, help="that many classes side by side")
    parser.add_argument("--member", type=int, help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help="only tests whose names contain these")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("e2e: needs root (cgroup, bpffs, another user for the daemon)")
    tests = [t for t in flatten(unittest.defaultTestLoader.discover(HERE))
             if all(word in t.id() for word in options.words)]
    if options.again:
        tests = [t for t in tests if getattr(t, "asks_haproxy", True)]
    if harness.SECCOMP == "off":  # a sanitizer has nothing to say where no identityd runs
        tests = [t for t in tests if getattr(t, "asks_identityd", True)]
    if options.member is not None:
        return member(options.member, tests)
    harness.tokens.npm_ready()
    start = time.monotonic()
    # A class whose setUpClass or cleanup failed is a failure of its own.
    good, bad = run_crew(options.jobs, tests)
    second_tries(good, bad, tests)
    version = ".".join(str(n) for n in harness.haproxy_version())
    print(f"{time.monotonic() - start:.0f} s, {harness.BUILD}, HAProxy {version}")
    print(f"e2e: {len(good)} passed, {len(bad)} failed", flush=True)
    return 1 if bad or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
