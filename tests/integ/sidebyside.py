"""Several pytest workers side by side: which stack each has, and who runs alone. Used by conftest.py.

tests/run starts as many stacks as workers and writes the variables of each into a file; CONSIGN_TEST_STACKS names
the files. Without it there is one stack, in the environment, and everything here does nothing.
"""

import contextlib
import fcntl
import os
import re
import shlex
import signal


def take_stack():
    """In a worker of pytest-xdist: the variables of its stack become its environment."""
    worker, stacks = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("CONSIGN_TEST_STACKS", "").split()
    if not worker:
        return
    with open(stacks[int(re.search(r"\d+$", worker).group())], encoding="utf-8") as lines:
        for word in shlex.split(lines.read()):
            name, equals, value = word.partition("=")
            if equals:
                os.environ[name] = value


def end_as_if_interrupted():
    """SIGTERM too lets the fixtures stop what they have started."""
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)


@contextlib.contextmanager
def held(path, how):
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, how)
        yield


@contextlib.contextmanager
def turn(alone):
    """The time of one test: of this worker only if `alone`, else beside those of the others."""
    folder = os.environ.get("CONSIGN_TEST_DIR") if "PYTEST_XDIST_WORKER" in os.environ else None
    if folder is None:
        yield
        return
    with contextlib.ExitStack() as room:
        # whoever waits for the room holds the door, so that the others do not keep it busy for ever
        with held(f"{folder}/door", fcntl.LOCK_EX):
            room.enter_context(held(f"{folder}/room", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield
