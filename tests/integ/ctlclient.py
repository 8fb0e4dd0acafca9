"""consignctl as a client's command: a home of its own, and nothing of the environment but what is given."""

import json
import os
import pathlib
import subprocess

from stack import REPO

BINARY = REPO / os.environ.get("CONSIGN_BUILD", "build") / "bin" / "consignctl"
OK, REFUSED, USAGE, JOB, GAVE_UP, WRONG_FILE = range(6)
LOGIN = ("CONSIGN_URL", "CONSIGN_ORG", "CONSIGN_SANDBOX", "CONSIGN_CLIENT_ID", "CONSIGN_CLIENT_SECRET")


class Done:
    """How a command ended."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def json(self):
        """The one document on stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class Ctl:
    """The command, logged in by the environment when a client is given, at its stack or at `url`."""

    def __init__(self, home, client=None, url=None):
        self.home = pathlib.Path(home)
        self.login = {}
        self.under = ()  # words before the command's, of what runs it
        if client is not None:
            self.login = dict(zip(LOGIN, (url or client.url, client.org, client.sandbox, client.client_id, client.client_secret)))

    @property
    def credentials(self):
        return self.home / ".config" / "consign" / "credentials"

    def environment(self, **variables):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return {**kept, "HOME": str(self.home), "LC_ALL": "C.UTF-8", **self.login, **variables}

    def start(self, *args, **variables):
        """The running command."""
        return subprocess.Popen([str(BINARY), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment(**variables))

    def run(self, *args, status=OK, stdin="", seconds=60, cwd=None, **variables):
        """Runs it to its end, which must be the status; None: any."""
        done = subprocess.run([*self.under, str(BINARY), *map(str, args)], capture_output=True, text=True, timeout=seconds, input=stdin,
                              env=self.environment(**variables), cwd=cwd, check=False)
        assert status in (None, done.returncode), f"{args}: {done.returncode}, wanted {status}\n{done.stdout}{done.stderr}"
        return Done(args, done.returncode, done.stdout, done.stderr)

    def json(self, *args, **more):
        return self.run(*args, "--json", **more).json()

    def log_in(self, client, *options, url=None, **more):
        """`login` as this client, the secret on stdin."""
        return self.run("login", "--url", url or client.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id",
                        client.client_id, *options, stdin=client.client_secret + "\n", **more)
