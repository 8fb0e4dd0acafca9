"""`--check` of both programs: the settings and the database, without serving; and that a reload asks it."""

import contextlib
import os
import re
import socket
import subprocess
import time

import psycopg
import pytest

import ownstack

PROGRAMS = {"consign-api": "api", "consign-spooler": "spooler"}


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        yield own.start(spooler__workers=1)


def check(stack, program, **lines):
    """Looks with other settings (their dot is two underscores): (exit status, stdout, stderr)."""
    text = (stack.dir / "consign.conf").read_text()
    for name, value in lines.items():
        name = name.replace("__", ".")
        text = re.sub(rf"(?m)^{re.escape(name)} = .*\n", "", text) + f"{name} = {value}\n"
    file = stack.dir / "check.conf"
    file.write_text(text)
    file.chmod(0o644)
    begun = time.monotonic()
    done = subprocess.run([str(stack.dir / "bin" / program), "--config", str(file), "--check"], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)
    assert time.monotonic() - begun < 10, "a look takes seconds"
    return done.returncode, done.stdout, done.stderr


def database(stack, **parts):
    """A connection string to the stack's server, as somebody or something else."""
    known = psycopg.conninfo.conninfo_to_dict(stack.pg_uri)
    return psycopg.conninfo.make_conninfo(**{**known, **parts})


def refused(answer, program, reason):
    status, out, err = answer
    assert status == 1 and out == "", (status, out, err)
    last = err.rstrip("\n").rsplit("\n", 1)[-1]
    assert f"event=check setting=database.{PROGRAMS[program]} " in last and reason in last, err


@pytest.fixture(params=PROGRAMS)
def program(request):
    return request.param


def key(program):
    return f"database__{PROGRAMS[program]}"


def test_a_good_one(stack, program):
    status, out, err = check(stack, program)
    assert (status, err) == (0, "") and f"inbox.dir = {stack.dir}/inbox" in out


def test_a_database_that_is_down(stack, program):
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        answer = check(stack, program, **{key(program): f"host=127.0.0.1 port={bound.getsockname()[1]}"})
    refused(answer, program, "no connection")
    assert "Connection refused" in answer[2]


def test_a_database_that_stands_still(stack, program):
    with socket.socket() as still:
        still.bind(("127.0.0.1", 0))
        still.listen()
        answer = check(stack, program, **{key(program): f"host=127.0.0.1 port={still.getsockname()[1]}"})
    refused(answer, program, "no connection")
    assert "no answer in time" in answer[2]


def test_a_role_that_may_everything(stack, program):
    answer = check(stack, program, **{key(program): database(stack)})
    refused(answer, program, "no connection")
    assert "event=unsafe_database superuser_or_bypassrls=t" in answer[2]


def test_the_role_of_the_other_program(stack, program):
    other = {"api": "consign_spooler", "spooler": "consign_api"}[PROGRAMS[program]]
    refused(check(stack, program, **{key(program): database(stack, user=other)}), program, f'role="{other}"')


def test_a_database_without_our_schema(stack, program):
    role = f"consign_{PROGRAMS[program]}"
    refused(check(stack, program, **{key(program): database(stack, user=role, dbname="postgres")}), program, "consignctl migrate")


HOOKS = "hooks.example.com"


@pytest.mark.parametrize("name, value", [("webhook.hosts", "*.example.com"), ("webhook.hosts", "http://example.com"),
                                         ("webhook.ca_file", "/no/such/file"), ("database.sender", "=="),
                                         ("database.sender", ""), ("database.sender", "consign_spooler")])
def test_settings_of_webhooks_that_cannot_be(stack, name, value):
    if value.startswith("consign_"):
        value = database(stack, user=value)
    status, _, err = check(stack, "consign-spooler", **{"webhook__hosts": HOOKS, name.replace(".", "__"): value})
    assert status == 1 and f"event=check setting={name} " in err.rstrip("\n").rsplit("\n", 1)[-1], err


def test_webhooks_that_can_be(stack):
    assert check(stack, "consign-spooler", webhook__hosts=HOOKS)[0] == 0
    assert check(stack, "consign-spooler", database__sender="==")[0] == 0, "without hosts nobody sends"


@contextlib.contextmanager
def migrations(stack, statement):
    """The table of migrations changed while it is open."""
    with psycopg.connect(stack.pg_uri, autocommit=True) as session:
        session.execute("CREATE TABLE public.kept AS TABLE consign.schema_migration")
        session.execute(statement)
        try:
            yield
        finally:
            session.execute("TRUNCATE consign.schema_migration")
            session.execute("INSERT INTO consign.schema_migration TABLE public.kept")
            session.execute("DROP TABLE public.kept")


NEWER = "INSERT INTO consign.schema_migration VALUES (999, 'later', '')"
OLDER = "DELETE FROM consign.schema_migration WHERE version >= 30"
OTHER_FUNCTIONS = "UPDATE consign.schema_migration SET sha256 = translate(sha256, '0123456789abcdef', '123456789abcdef0') WHERE version = 0"
NO_FUNCTIONS = "DELETE FROM consign.schema_migration WHERE version = 0"


def test_a_schema_of_another_version(stack, program):
    with migrations(stack, NEWER):
        refused(check(stack, program), program, "schema=999 ")
    with migrations(stack, OLDER):
        refused(check(stack, program), program, "run consignctl migrate")
    with migrations(stack, OTHER_FUNCTIONS):
        refused(check(stack, program), program, "its functions are of another version; run consignctl migrate")
    with migrations(stack, NO_FUNCTIONS):
        refused(check(stack, program), program, "its functions are of another version; run consignctl migrate")
    assert check(stack, program)[0] == 0


def test_a_reload_asks_it(stack):
    with migrations(stack, NEWER):
        done = ownstack.devstack("reload", "--dir", str(stack.dir))
    assert done.returncode == 1 and "reload_refused" in done.stderr and "schema=999" in done.stderr, done


@pytest.mark.parametrize("setting, value, name", [
    ("keys__dir", "/nonexistent", "keys.dir"), ("token__issuers", "/nonexistent", "token.issuers"),
    ("database__api", "host=a,b port=1,2,3", "database.api")])
def test_a_setting_of_the_pool_that_is_no_good_is_named(stack, setting, value, name):
    status, out, err = check(stack, "consign-api", **{setting: value})
    assert (status, out) == (1, "") and f"event=check setting={name} " in err, err


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else changes the user")
def test_the_user_is_named(stack, program):
    status, _, err = check(stack, program, **{f"{PROGRAMS[program]}__user": "nobody-of-that-name"})
    assert status == 1 and f"event=check setting={PROGRAMS[program]}.user " in err, err
