"""Cases, the world in which they run, and the count at the end."""

import fnmatch
import time
import traceback
from typing import Callable, NamedTuple

CASES = []


class Case(NamedTuple):
    group: str
    name: str
    run: Callable
    # Server name -> why it fails there even without sigscope.
    excused: dict


def case(group, name, **excused):
    """Registers a function as a case: it passes when it returns, fails when it raises."""

    def register(run):
        CASES.append(Case(group, name, run, excused))
        return run

    return register


def equal(got, expected, what):
    if got != expected:
        raise AssertionError(f"{what}: expected {shorten(expected)}, got {shorten(got)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}… ({len(text)} characters)"


def refused(call, *codes):
    """The code of the botocore error that `call` must raise."""
    from botocore.exceptions import ClientError

    try:
        answer = call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in codes:
            raise AssertionError(f"expected {codes}, got {error}") from None
        return error.response
    raise AssertionError(f"expected {codes}, got an answer: {shorten(answer)}")


class Tally:
    def __init__(self, only=None, verbose=False):
        self.only, self.verbose = only, verbose
        self.passed, self.failed, self.excused = 0, 0, 0

    def wants(self, name):
        return not self.only or any(
            fnmatch.fnmatch(name, f"*{pattern}*") for pattern in self.only)

    def attempt(self, run, *args):
        """None, or why it failed."""
        try:
            run(*args)
        except Exception as error:
            if self.verbose:
                traceback.print_exc()
            text = " ".join(str(error).split()) or type(error).__name__
            return text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}"
        return None

    def report(self, name, why, seconds=0.0):
        if why is None:
            self.passed += 1
            print(f"ok    {name} ({seconds:.1f} s)", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}\n      {why}", flush=True)

    def check(self, name, run, *args):
        if self.wants(name):
            started = time.monotonic()
            why = self.attempt(run, *args)
            self.report(name, why, time.monotonic() - started)

    def beside_direct(self, name, why_not, run, direct, through):
        """Runs a case without sigscope, then with it: what passes directly must pass.

        A case that fails directly must say so in advance, and then is not counted.
        """
        if not self.wants(name):
            return
        started = time.monotonic()
        baseline = self.attempt(run, direct)
        if why_not:
            if baseline is None:
                self.report(name, f"passes directly although excused: {why_not}")
            else:
                self.excused += 1
                print(f"–     {name}: {why_not}", flush=True)
            return
        if baseline is not None:
            self.report(name, f"fails directly: {baseline}")
            return
        why = self.attempt(run, through) if through else None
        self.report(name, why, time.monotonic() - started)

    def close(self):
        if self.excused:
            print(f"not counted: {self.excused} that fail without sigscope too")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
