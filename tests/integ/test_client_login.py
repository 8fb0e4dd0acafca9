"""consignctl login: where the secret comes from, how it is kept, and tokens that are renewed by themselves."""

import json
import os
import pty
import subprocess
import time

import pytest

import flows
from ctlclient import BINARY, GAVE_UP, REFUSED, USAGE, Ctl
from httpfront import front, refuse, self_signed
from objectlake import certificate


@pytest.fixture
def ctl(tmp_path):
    """Without a login."""
    return Ctl(tmp_path)


def profile(ctl, name="default"):
    return json.loads(ctl.credentials.read_text())[name]


def change(ctl, **members):
    document = json.loads(ctl.credentials.read_text())
    document["default"].update(members)
    ctl.credentials.write_text(json.dumps(document))


def test_a_login_is_kept_for_its_owner_alone(ctl, client):
    done = ctl.log_in(client)
    assert client.client_id in done.out and client.client_secret not in done.out + done.err
    assert ctl.credentials.stat().st_mode & 0o777 == 0o600 and ctl.credentials.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(os.listdir(ctl.credentials.parent)) == ["credentials", "credentials.lock"]
    kept = profile(ctl)
    assert {name: kept[name] for name in ("url", "org", "sandbox", "client_id", "client_secret")} == {
        "url": client.url, "org": client.org, "sandbox": client.sandbox, "client_id": client.client_id,
        "client_secret": client.client_secret}
    dataset = flows.create_dataset(client)
    assert [entry["id"] for entry in ctl.json("datasets")] == [dataset]


def test_the_folder_of_xdg_comes_first(ctl, client, tmp_path):
    ctl.log_in(client, XDG_CONFIG_HOME=str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b" / "consign" / "credentials").exists() and not ctl.credentials.exists()
    ctl.log_in(client, XDG_CONFIG_HOME="not/absolute")
    assert ctl.credentials.exists()
    assert ctl.run("datasets", status=REFUSED, HOME="").err.startswith("consignctl: neither XDG_CONFIG_HOME nor HOME")


def test_the_secret_comes_from_the_environment_too(ctl, client):
    ctl.run("login", "--url", client.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id", client.client_id,
            CONSIGN_CLIENT_SECRET=client.client_secret, stdin="wrong\n")
    ctl.run("datasets")


def test_the_secret_is_typed_without_echo(ctl, client):
    command = [str(BINARY), "login", "--url", client.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id",
               client.client_id]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, ctl.environment())
    shown = b""
    while b"secret: " not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, client.client_secret.encode() + b"\n")
    while True:
        try:
            piece = os.read(terminal, 1024)
        except OSError:  # the terminal's other end is closed
            break
        if not piece:
            break
        shown += piece
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    os.close(terminal)
    assert client.client_secret.encode() not in shown and b"logged in" in shown
    ctl.run("datasets")


def test_the_secret_is_no_argument(ctl, client):
    done = ctl.run("login", "--url", client.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id",
                   client.client_id, "--client-secret", client.client_secret, status=USAGE)
    assert "no such option" in done.err


@pytest.mark.parametrize("secret", ["", "\n", "a b\n", "x" * 1025 + "\n"], ids=["none", "empty", "blank", "long"])
def test_what_is_no_secret_is_not_sent(ctl, client, secret):
    with front(client.url) as watched:
        done = ctl.run("login", "--url", watched.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id",
                       client.client_id, stdin=secret, status=USAGE)
        assert "no secret" in done.err and watched.seen == []


def test_a_refused_login_keeps_nothing(ctl, client):
    ctl.log_in(client)
    before = ctl.credentials.read_text()
    done = ctl.run("login", "--url", client.url, "--org", client.org, "--sandbox", client.sandbox, "--client-id",
                   client.client_id, stdin="wrong\n", status=REFUSED)
    assert "invalid_client" in done.err and ctl.credentials.read_text() == before


def test_a_file_that_others_can_read_is_refused(ctl, client):
    ctl.log_in(client)
    for mode in (0o640, 0o604, 0o660, 0o602):
        ctl.credentials.chmod(mode)
        done = ctl.run("datasets", status=REFUSED)
        assert "others can read or write it" in done.err
        assert "others can read or write it" in ctl.log_in(client, status=REFUSED).err
    ctl.credentials.chmod(0o600)
    ctl.run("datasets")
    moved = ctl.credentials.rename(ctl.home / "moved")
    ctl.credentials.symlink_to(moved)
    assert "cannot read" in ctl.run("datasets", status=REFUSED).err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"default":{}}', '{"default":{"url":7}}'])
def test_a_damaged_file_is_said_and_left(ctl, client, text):
    ctl.log_in(client)
    ctl.credentials.write_text(text)
    done = ctl.run("datasets", status=REFUSED)
    assert "damaged" in done.err or "not whole" in done.err
    assert ctl.credentials.read_text() == text


def test_profiles_stand_side_by_side(ctl, client, home, tenants):
    other = home.in_sandbox(tenants.sandbox(home.org))
    ctl.log_in(client)
    ctl.log_in(other, "--profile", "other")
    here, there = flows.create_dataset(client), flows.create_dataset(other)
    assert [entry["id"] for entry in ctl.json("datasets")] == [here]
    assert [entry["id"] for entry in ctl.json("datasets", "--profile", "other")] == [there]
    # a login of the environment comes before `default`, and after one that is named
    environment = Ctl(ctl.home, other)
    assert [entry["id"] for entry in environment.json("datasets")] == [there]
    assert [entry["id"] for entry in environment.json("datasets", "--profile", "default")] == [here]
    assert json.loads(ctl.log_in(client, "--json").out)["profile"] == "default"


def test_logins_at_once_lose_none(ctl, client):
    names = [f"p{n}" for n in range(6)]
    running = [subprocess.Popen([str(BINARY), "login", "--url", client.url, "--org", client.org, "--sandbox", client.sandbox,
                                 "--client-id", client.client_id, "--profile", name],
                                env=ctl.environment(CONSIGN_CLIENT_SECRET=client.client_secret), stdout=subprocess.DEVNULL)
               for name in names]
    assert [each.wait(60) for each in running] == [0] * len(names)
    assert sorted(json.loads(ctl.credentials.read_text())) == names


def test_a_token_is_used_until_it_is_about_to_expire(ctl, client):
    with front(client.url) as watched:
        ctl.log_in(client, url=watched.url)
        kept = profile(ctl)
        assert 0 < kept["token_until_ms"] / 1000 - time.time() < 86400
        ctl.run("datasets")
        assert len(watched.asked("token")) == 1
        change(ctl, token_until_ms=int(time.time() * 1000) - 1)
        ctl.run("datasets")
        ctl.run("datasets")
        assert len(watched.asked("token")) == 2
        assert profile(ctl)["access_token"] != kept["access_token"]


def test_a_token_that_the_service_does_not_take_is_renewed_once(ctl, client):
    with front(client.url) as watched:
        ctl.log_in(client, url=watched.url)
        change(ctl, access_token="no.token.atall")
        ctl.run("datasets")
        ctl.run("datasets")
        assert len(watched.asked("token")) == 2 and len(watched.asked("dataSets")) == 3
        watched.on("GET .*dataSets", refuse(401))
        assert "status 401" in ctl.run("datasets", status=REFUSED).err
        assert len(watched.asked("token")) == 3 and len(watched.asked("dataSets")) == 5


def test_a_renewed_token_changes_nothing_else_of_the_profile(ctl, client):
    ctl.log_in(client)
    kept = profile(ctl)
    change(ctl, token_until_ms=1)
    ctl.run("datasets", "--insecure-http", "--cacert", ctl.credentials)
    renewed = profile(ctl)
    assert renewed["access_token"] != kept["access_token"] and renewed["token_until_ms"] >= kept["token_until_ms"]
    assert renewed == {**kept, "access_token": renewed["access_token"], "token_until_ms": renewed["token_until_ms"]}


@pytest.mark.parametrize("newer", [{"url": "http://127.0.0.1:1"}, {"org": "OTHER@AdobeOrg"}, {"sandbox": "other"},
                                   {"client_id": "other"}, {"client_secret": "other"}, None], ids=str)
def test_a_renewed_token_is_not_kept_over_a_newer_login(ctl, client, newer):
    def log_in_meanwhile(call):
        answer = call.pass_on()
        if newer is None:
            ctl.credentials.write_text("{}")
        else:
            change(ctl, access_token="newer", **newer)
        call.reply(*answer)
    with front(client.url) as watched:
        ctl.log_in(client, url=watched.url)
        before = profile(ctl)
        change(ctl, token_until_ms=1)
        watched.on("POST /ims/token", log_in_meanwhile)
        ctl.run("datasets")
    document = json.loads(ctl.credentials.read_text())
    assert document == ({} if newer is None else {"default": {**before, "token_until_ms": 1, "access_token": "newer", **newer}})


def test_http_is_for_this_machine(ctl, client):
    words = ("login", "--org", client.org, "--sandbox", client.sandbox, "--client-id", client.client_id, "--timeout", "1")
    done = ctl.run(*words, "--url", "http://192.0.2.1", stdin="secret\n", status=USAGE)
    assert "--insecure-http" in done.err
    # no proxy of the environment gets what is sent without TLS
    with front(client.url) as proxy:
        ctl.log_in(client, http_proxy=proxy.url)
        ctl.run("datasets", http_proxy=proxy.url, all_proxy=proxy.url)
        assert proxy.seen == []
    assert not ctl.run(*words, "--url", "http://192.0.2.1", "--insecure-http", stdin="secret\n", status=GAVE_UP).out


def test_tls_is_verified(ctl, client, tmp_path):
    ours, key = certificate(tmp_path, "here", "IP:127.0.0.1")
    with front(client.url, self_signed(ours, key)) as tls:
        done = ctl.log_in(client, "--timeout", "5", url=tls.url, status=GAVE_UP)
        assert "certificate" in done.err and tls.seen == [] and not ctl.credentials.exists()
        ctl.log_in(client, "--cacert", ours, url=tls.url)
        ctl.run("datasets")
        # the name must be the certificate's too
        ctl.log_in(client, "--cacert", ours, "--timeout", "5", url=tls.url.replace("127.0.0.1", "localhost"),
                   status=GAVE_UP)
        assert "cannot read" in ctl.log_in(client, "--cacert", "/nonexistent", url=tls.url, status=REFUSED).err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have certificates of its own where the system has them")
def test_a_cacert_counts_instead_of_the_systems(ctl, client, tmp_path):
    ours, key = certificate(tmp_path, "here", "IP:127.0.0.1")
    other, _ = certificate(tmp_path, "other", "IP:127.0.0.1")
    system = tmp_path / "system"
    system.mkdir()
    for name in ("ca-certificates.crt", "one.pem"):  # the file of all, and a folder by their hashes
        (system / name).write_bytes(ours.read_bytes())
    subprocess.run(["openssl", "rehash", system], check=True, capture_output=True)
    ctl.under = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', str(system))
    with front(client.url, self_signed(ours, key)) as tls:
        ctl.log_in(client, url=tls.url)
        done = ctl.log_in(client, "--cacert", other, "--timeout", "5", url=tls.url, status=GAVE_UP)
        assert "certificate" in done.err and len(tls.asked("token")) == 1
