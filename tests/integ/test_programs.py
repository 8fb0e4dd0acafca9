"""Tests that are programs of their own: those of the database (pgTAP), and random rows through the Parquet sink."""

import os
import subprocess

import pytest

from stack import REPO

pytestmark = pytest.mark.slow

BUILD = REPO / os.environ.get("CONSIGN_BUILD", "build")


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, errors="replace", check=False)
    assert done.returncode == 0, done.stdout


def test_the_database(stack):
    run(REPO / "tests/sql/run")


LONG = pytest.mark.long


@pytest.mark.parametrize("cases", [pytest.param("corners", marks=LONG), "1", pytest.param("2", marks=LONG)])
def test_rows_are_read_back_by_other_readers(cases):
    """Random schemas, a hundred for each seed."""
    program = REPO / "tests/node/random_rows.py"
    run(program, BUILD / "node/write_rows", *(("corners",) if cases == "corners" else (100, cases)))
