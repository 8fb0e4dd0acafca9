"""Fixtures of the integration tests.

The stack is started outside (tools/devstack up); the tests find it by the
CONSIGN_* variables that `tools/devstack env` prints.
"""

import contextlib
import signal

import pytest
import requests

import openapi
import sidebyside
from client import Client
from stack import Stack, Tenants, missing_variables


def pytest_configure(config):
    config.addinivalue_line("markers", "fault: kills processes of the stack; comes last")
    config.addinivalue_line("markers", "long: more of the same, or half a minute of all cores; not in make test but in make fault")
    config.addinivalue_line("markers", "slow: takes more than ten seconds; comes first")
    config.addinivalue_line("markers", "alone: measures time; no other worker runs a test meanwhile")
    sidebyside.take_stack()
    sidebyside.end_as_if_interrupted()
    describe_requests()


def describe_requests():
    """Lets openapi.py see every answer that comes by requests, whoever asked."""
    send = requests.Session.send

    def checked(session, request, **more):
        answer = send(session, request, **more)
        openapi.check_response(answer, more.get("stream"))
        return answer

    requests.Session.send = checked


def place(item):
    """Tests that disturb the stack come last; before them long ones first, so that no worker is left with one."""
    return (bool(item.get_closest_marker("fault")), not item.get_closest_marker("slow"))


def pytest_collection_modifyitems(items):
    items.sort(key=place)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    with sidebyside.turn(item.get_closest_marker("alone") is not None):
        yield


@pytest.fixture(autouse=True)
def described():
    """What the test has asked and seen is as the OpenAPI document says."""
    yield
    faults = openapi.take_faults()
    assert not faults, "not as nginx/openapi says:\n" + "\n".join(faults[:20])


@pytest.fixture(scope="session")
def stack():
    absent = missing_variables()
    if absent:
        pytest.fail("no stack to test: " + ", ".join(absent) + " not set; start one with "
                    "`tools/devstack up` and load `tools/devstack env`", pytrace=False)
    return Stack()


@pytest.fixture(scope="session")
def tenants(stack):
    return Tenants(stack)


@pytest.fixture(scope="session")
def home(stack, tenants):
    """A client with all rights in an org of its own; its sandbox is `home`."""
    org = tenants.org("home")
    return Client(stack, org, "home", *tenants.credentials(org))


@pytest.fixture
def client(home, tenants):
    """The home client in a sandbox nobody used before."""
    return home.in_sandbox(tenants.sandbox(home.org))


@pytest.fixture(scope="module")
def shared(home, tenants):
    """The home client in a sandbox that one test file shares."""
    return home.in_sandbox(tenants.sandbox(home.org))


@pytest.fixture(scope="session")
def spooler_paused(stack):
    """A context manager: while it is open no spooler process runs, so jobs stay as they are."""
    @contextlib.contextmanager
    def paused():
        assert stack.signal_spooler(signal.SIGSTOP), "no spooler process found"
        try:
            yield
        finally:
            stack.signal_spooler(signal.SIGCONT)
    return paused
