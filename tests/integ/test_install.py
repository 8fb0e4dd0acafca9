"""What `make install` puts below DESTDIR: programs, configuration, units. The life of the Debian package is tests/package/run."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess

import pytest

import ownstack
from stack import REPO

BUILD = REPO / os.environ.get("CONSIGN_BUILD", "build")
UNITS = ("consign-api.service", "consign-spooler.service")


def run(*command, status=0, **variables):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env={**os.environ, **variables})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def mode(path):
    return path.stat().st_mode & 0o777


def install(root):
    run("make", "-s", "-C", REPO, "install", f"BUILD={BUILD}", f"DESTDIR={root}", "PREFIX=/usr")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("install")
    install(made)
    assert mode(made / "etc/consign/consign.conf") == 0o600, "it may hold passwords"
    return made


@pytest.fixture(scope="module")
def placed(root):
    """The same after README.md's `systemd-tmpfiles --create`, which only root can give files away by."""
    if os.geteuid() == 0:
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", root / "etc")
        run("systemd-tmpfiles", "--create", f"--root={root}", "consign.conf")
    return root


def test_everything_is_there(root):
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    sql = {f"usr/share/consign/{path.relative_to(REPO)}" for path in (REPO / "sql").rglob("*.sql")}
    wanted = {"usr/sbin/consign-api", "usr/sbin/consign-spooler", "usr/bin/consignctl", "etc/consign/consign.conf",
              "etc/nginx/sites-available/consign", "etc/nginx/consign/tls.conf", "usr/lib/sysusers.d/consign.conf",
              "usr/lib/tmpfiles.d/consign.conf", "usr/share/doc/consign/README.md", "usr/share/man/man1/consignctl.1",
              "usr/share/bash-completion/completions/consignctl", "usr/share/consign/watch/alerts.yml",
              "usr/share/consign/watch/dashboard.json",
              *(f"usr/lib/systemd/system/{unit}" for unit in UNITS)}
    assert wanted | sql <= there, (wanted | sql) - there
    unfilled = re.compile(r"(?m)^[^#\n]*@[A-Z]+@")
    assert not [path for path in there if unfilled.search((root / path).read_text(errors="replace"))]


def test_a_second_time_keeps_the_configuration(root):
    conf, removed = root / "etc/consign/consign.conf", root / "usr/share/consign/sql/api/gone.sql"
    before = conf.read_text()
    conf.write_text(before + "# ours\n")
    removed.write_text("-- of an earlier version\n")
    conf.chmod(0o640)
    try:
        install(root)
        assert conf.read_text() == before + "# ours\n" and mode(conf) == 0o640
        assert not removed.exists(), "migrate would run it"
    finally:
        conf.write_text(before)
        conf.chmod(0o600)


def test_every_setting_stands_in_the_example(root):
    example = (root / "etc/consign/consign.conf").read_text()
    row = re.compile(r"(?m)^\| `([a-z_.]+)` \| (?:`([^`]*)`)? \| ([a-z]*) \| (.*) \|$")
    table = row.findall(run(BUILD / "bin/consign-api", "--settings"))
    assert len(table) > 30
    words = " ".join(example.replace("\n# ", " ").split())
    for name, default, unit, meaning in table:
        assert f"\n#{name} = {default}".rstrip() + "\n" in example
        assert " ".join(meaning.split()) + (f" ({unit})" if unit else "") in words, name


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else gives files away")
def test_the_settings_are_for_the_services_user_alone(placed):
    """Not for the group: nginx is in it."""
    conf = placed / "etc/consign/consign.conf"
    assert (pwd.getpwuid(conf.stat().st_uid).pw_name, mode(conf)) == ("consign", 0o400)


def test_the_example_with_a_database_passes_check(root, placed):
    """As the units do it, with the settings that name a database and folders of this test's own; everything else, the file's
    owner and mode too, as it is installed."""
    with ownstack.own_stack() as own:
        stack = own.start()
        live = dict(re.findall(r"(?m)^([a-z._]+) = (.*)$", (stack.dir / "consign.conf").read_text()))
        names = ("database.api", "database.spooler", "keys.dir")
        conf = stack.dir / "installed.conf"
        conf.write_text((root / "etc/consign/consign.conf").read_text() + "".join(f"{name} = {live[name]}\n" for name in names))
        as_service = ()
        if os.geteuid() == 0:
            installed = (placed / "etc/consign/consign.conf").stat()
            os.chown(conf, installed.st_uid, installed.st_gid)
            conf.chmod(installed.st_mode & 0o777)
            as_service = ("setpriv", "--reuid=consign", "--regid=consign", "--init-groups")
        for name in ("consign-api", "consign-spooler"):
            out = run(*as_service, stack.dir / "bin" / name, "--config", conf, "--check")
            assert "inbox.dir = /var/lib/consign/inbox" in out
        assert "setting=database.spooler" in run(root / "usr/sbin/consign-spooler", "--config", root / "etc/consign/consign.conf",
                                                 "--check", status=1)


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_good_and_tight(root, unit):
    file = root / "usr/lib/systemd/system" / unit
    # verify wants the programs where the unit says
    here = root / "verify" / unit
    here.parent.mkdir(exist_ok=True)
    here.write_text(file.read_text().replace("=/usr/sbin/", f"={root}/usr/sbin/").replace("file:/usr", f"file:{root}/usr"))
    assert run("systemd-analyze", "verify", "--man=no", here) == ""
    run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", here)
    run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=5", here, status=1)


def test_units_wait_as_long_as_the_programs_do(root):
    """From SIGTERM a supervisor gives its workers MAIN_GRACE_MS; systemd kills it only after that."""
    for unit, source in zip(UNITS, ("responder", "spooler")):
        text = (root / "usr/lib/systemd/system" / unit).read_text()
        grace = int(re.search(r"#define MAIN_GRACE_MS (\d+)", (REPO / "fcgi" / source / "main.c").read_text())[1])
        assert int(re.search(r"(?m)^TimeoutStopSec=(\d+)$", text)[1]) * 1000 >= grace + 5000
        assert re.search(r"(?m)^KillMode=mixed$", text), "workers would be told twice"


def test_user_and_folders_are_what_the_units_and_defaults_name(root):
    users = (root / "usr/lib/sysusers.d/consign.conf").read_text()
    folders = set(re.findall(r"(?m)^d (\S+) ", (root / "usr/lib/tmpfiles.d/consign.conf").read_text()))
    assert re.search(r"(?m)^u consign ", users) and re.search(r"(?m)^m www-data consign$", users)
    for unit in UNITS:
        text = (root / "usr/lib/systemd/system" / unit).read_text()
        assert re.search(r"(?m)^User=consign$", text)
        assert set(re.search(r"(?m)^ReadWritePaths=(.*)$", text)[1].split()) <= folders
    example = (root / "etc/consign/consign.conf").read_text()
    for name in ("keys.dir", "inbox.dir", "lake.dir", "api.socket"):
        path = pathlib.Path(re.search(rf"(?m)^#{re.escape(name)} = (.*)$", example)[1])
        assert str(path.parent if name == "api.socket" else path) in folders


def test_nginx_takes_the_site_inside_debians_main_file(root, tmp_path):
    """With a certificate of this test's own, and ports that need no root."""
    etc = tmp_path / "nginx"
    shutil.copytree(root / "etc/nginx", etc)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem",
        "-out", tmp_path / "cert.pem")
    tls = etc / "consign/tls.conf"
    tls.write_text(tls.read_text().replace("/etc/consign/tls/fullchain.pem", str(tmp_path / "cert.pem"))
                   .replace("/etc/consign/tls/privkey.pem", str(tmp_path / "key.pem")))
    site = etc / "sites-available/consign"
    site.write_text(site.read_text().replace("listen 443", f"listen {ownstack.free_port()}")
                    .replace("/var/log/nginx", str(tmp_path)))
    # what Debian's nginx.conf says at http level
    (etc / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\nsendfile on;\ntcp_nopush on;\ntypes_hash_max_size 2048;\n"
        "ssl_protocols TLSv1.2 TLSv1.3;\nssl_prefer_server_ciphers on;\ngzip on;\ninclude sites-available/consign;\n}\n")
    run(shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-q", "-t", "-e", "stderr", "-p", etc, "-c", etc / "nginx.conf")
