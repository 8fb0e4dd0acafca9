"""consignctl against a server that means harm: names of files, answers without an end, redirects, a list that goes on for
ever. No stack takes part."""

import hashlib
import json
import time
from urllib.parse import unquote

import pytest

from ctlclient import GAVE_UP, REFUSED, WRONG_FILE, Ctl
from httpfront import Cut, front

JOB = 4711
BATCH = "0123456789abcdef0123456789abcdef"
SECRET, TOKEN = "the-secret", "the.token.itself"
DATA = b"rows\n" * 1000


class Nobody:
    """Who logs in."""

    org, sandbox, client_id, client_secret = "ACME@AdobeOrg", "prod", "somebody", SECRET

    def __init__(self, url):
        self.url = url


def entry(name="part-0.json", data=DATA, **more):
    return {"name": name, "rows": 1, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **more}


@pytest.fixture
def server():
    """A server that does as the service does: a job, its batch, a file. Tests put their rule before."""
    with front() as made:
        made.on("POST /ims/token", lambda call: call.say({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}))
        made.on("GET /data/core/ups/export/jobs/", lambda call: call.say(
            {"id": JOB, "status": "SUCCEEDED", "destination": {"batchId": BATCH}}))
        holds(made, [entry()])
        made.on(r"GET .*/export/files/[^?]*\?path=", lambda call: call.reply(200, [], DATA))
        yield made


def holds(server, entries, named=None):
    """The batch's manifest, and the files that Data Access names (those of the manifest)."""
    listed = [file.get("name") for file in entries] if named is None else named
    server.on("GET .*/meta", lambda call: call.say({"files": entries}))
    server.on("GET .*/batches/[^/]*/files", lambda call: call.say(
        {"data": [{"dataSetFileId": f"{BATCH}-{n}"} for n in range(len(listed))], "_page": {"count": len(listed)}}))
    server.on("GET .*/export/files/[^?]*$", lambda call: call.say(
        {"data": [{"name": listed[int(call.path.rsplit("-", 1)[1])]}]}))


@pytest.fixture
def ctl(server, tmp_path):
    return Ctl(tmp_path / "home", Nobody(server.url))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "home").mkdir()
    made = tmp_path / "a" / "b"
    made.mkdir(parents=True)
    return made


def download(ctl, folder, *options, **more):
    return ctl.run("export", "download", JOB, "--dir", folder, *options, **more)


def everything(folder):
    """All files below the test's own folder."""
    return sorted(str(path.relative_to(folder.parents[1])) for path in folder.parents[1].rglob("*") if not path.is_dir())


def test_the_server_without_harm(ctl, folder):
    download(ctl, folder)
    assert everything(folder) == ["a/b/manifest.json", "a/b/part-0.json"]


@pytest.mark.parametrize("name", ["../evil", "../../evil", "/tmp/evil", "a/b", "..", ".", "", ".bashrc", "-rf", "a\nb", "a\\b",
                                  "é", "manifest.json", "part-x.partial", "Makefile", "part-" + "a" * 196, None, 7])
def test_names_that_may_not_be_are_refused_before_anything_is_written(ctl, server, folder, name):
    holds(server, [entry(), entry(name)])
    assert "may not be called so" in download(ctl, folder, status=WRONG_FILE).err
    assert everything(folder) == [] and server.asked("path=part") == []


@pytest.mark.parametrize("entries, named, said", [
    ([entry(), entry()], ["part-0.json"], "the manifest names part-0.json twice"),
    ([entry()], ["part-0.json", "part-0.json"], "more files than in the manifest"),
    ([entry(), entry("part-1.json")], ["part-0.json", "part-0.json"], "twice"),
    ([entry()], ["part-1.json"], "not in the manifest"),
    ([entry()], ["../../evil"], "not in the manifest"),
    ([entry()], [None], "not in the manifest"),
    ([entry()], [], "not among the files"),
    ([entry(bytes=-1)], None, "size and SHA-256"), ([entry(bytes="5")], None, "size and SHA-256"),
    ([entry(bytes=5.5)], None, "size and SHA-256"), ([entry(sha256="0")], None, "size and SHA-256"),
    ([entry(sha256=None)], None, "size and SHA-256"), ([7], [], "may not be called so"),
    ([entry(bytes=2**53 - 1), entry("part-1.json")], None, "the files are too long: part-1.json"),
    ({}, [], "no list of files"),
])
def test_a_manifest_that_is_none(ctl, server, folder, entries, named, said):
    holds(server, entries, named)
    assert said in download(ctl, folder, status=WRONG_FILE).err
    assert everything(folder) == []


@pytest.mark.parametrize("batch", ["../../evil", "..", "a/b", "", "a?b", "a%2fb", None])
def test_batches_that_are_no_ids(ctl, server, folder, batch):
    server.on("GET .*/jobs/", lambda call: call.say(
        {"id": JOB, "status": "SUCCEEDED", "destination": {"batches": [{"batchId": BATCH}, {"batchId": batch}]}}))
    assert "names no batch" in download(ctl, folder, status=REFUSED).err
    assert everything(folder) == []


@pytest.mark.parametrize("name", ["../../evil", "a b", "", None, "x" * 65])
def test_files_whose_id_is_none(ctl, server, folder, name):
    server.on("GET .*/batches/[^/]*/files", lambda call: call.say({"data": [{"dataSetFileId": name}]}))
    assert "the id of a file is none" in download(ctl, folder, status=REFUSED).err


def endless(before=b"", piece=b" " * 65536):
    """An answer without an end."""
    def act(call):
        call.head(200, [("Content-Type", "application/json")])
        call.wfile.write(before)
        while True:
            call.wfile.write(piece)
    return act


@pytest.mark.parametrize("what", ["GET .*/jobs/", "GET .*/meta", "POST /ims/token"])
def test_an_answer_without_an_end_is_let_go(ctl, server, folder, what):
    server.on(what, endless(b"["))
    assert "too long" in download(ctl, folder, status=REFUSED).err


def test_an_error_without_an_end_is_let_go(ctl, server, folder):
    def act(call):
        call.head(404, [])
        while True:
            call.wfile.write(b"x" * 65536)
    server.on("path=part", act)
    assert "status 404" in download(ctl, folder, status=REFUSED).err


def test_a_file_without_an_end_is_let_go(ctl, server, folder):
    server.on("path=part", endless(DATA))
    assert "longer than the manifest says" in download(ctl, folder, status=WRONG_FILE).err
    assert everything(folder) == []


def test_a_header_without_an_end_is_let_go(ctl, server, folder):
    def act(call):
        call.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            call.wfile.write(b"x: " + b"y" * 1000 + b"\r\n")
    server.on("GET .*/jobs/", act)
    done = download(ctl, folder, "--timeout", 3, status=None, seconds=30)
    assert done.status in (REFUSED, GAVE_UP) and done.out == ""


@pytest.mark.parametrize("what", ["GET .*/jobs/", "path=part"])
def test_an_answer_that_drips_is_let_go_in_time(ctl, server, folder, what):
    def act(call):
        call.head(200, [], len(DATA))
        for n in range(len(DATA)):
            call.wfile.write(DATA[n:n + 1])
            call.wfile.flush()
            time.sleep(0.05)
    server.on(what, act)
    download(ctl, folder, "--timeout", 2, status=GAVE_UP, seconds=30)  # all of it would take minutes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("what", ["POST /ims/token", "GET .*/jobs/", "GET .*/meta", "path=part"])
def test_redirects_are_not_followed(ctl, server, folder, what, status):
    with front() as elsewhere:
        server.on(what, lambda call: call.reply(status, [("Location", elsewhere.url + call.path)]))
        done = download(ctl, folder, status=REFUSED)
        assert "elsewhere" in done.err and elsewhere.seen == []


def test_links_are_not_followed(ctl, server, folder):
    with front() as elsewhere:
        link = {"self": {"href": f"{elsewhere.url}/evil"}, "next": {"href": f"{elsewhere.url}/evil"}}
        server.on("GET .*/batches/[^/]*/files", lambda call: call.say(
            {"data": [{"dataSetFileId": f"{BATCH}-0", "_links": link}], "_page": {"count": 1}, "_links": link}))
        server.on("GET .*/export/files/[^?]*$", lambda call: call.say({"data": [{"name": "part-0.json", "_links": link}]}))
        download(ctl, folder)
        pages = iter([f"{elsewhere.url}/export/jobs/?limit=1&offset=1", "//evil/?offset=2", ""])
        server.on(r"GET .*/jobs\?", lambda call: call.say(
            {"records": [{"id": 1, "status": "NEW"}], "link": {"next": next(pages)}}))
        assert len(ctl.json("export", "list")) == 3
        assert elsewhere.seen == []
        assert [call.path for call in server.asked(r"GET .*/jobs\?")][1:] == [
            "/data/core/ups/export/jobs?limit=1&offset=1", "/data/core/ups/export/jobs?offset=2"]


@pytest.mark.parametrize("following", ["?a b", "?a\r\nx: y", "?" + "a" * 600, "?é", "?a#b"])
def test_a_list_that_goes_on_at_what_is_no_query(ctl, server, folder, following):
    server.on(r"GET .*/jobs\?", lambda call: call.say({"records": [{"id": 1}], "link": {"next": following}}))
    assert "no query" in ctl.run("export", "list", status=REFUSED).err


def test_a_list_without_an_end_ends_at_the_limit(ctl, server, folder):
    server.on(r"GET .*/jobs\?", lambda call: call.say({"records": [{"id": 1}], "link": {"next": "?offset=1"}}))
    assert len(ctl.json("export", "list", "--limit", 50)) == 50
    server.on("GET .*/dataSets", lambda call: call.say({f"{n:024x}": {"name": "again"} for n in range(100)}))
    assert len(ctl.json("datasets", "--limit", 250)) == 250 and len(server.asked("dataSets")) == 3


@pytest.mark.parametrize("command", ["datasets list", "export list", "export get 1", "datasets create --name n",
                                     "export create --dataset d", "export download 1"])
@pytest.mark.parametrize("body", [b"", b"nonsense", b"<html>", b'{"id":1,"id":2}', b"[]", b"7", b'"x"', b"\xff", b"[" * 99,
                                  b"{}"], ids=lambda body: repr(body[:20]))
def test_answers_that_are_none(ctl, server, folder, command, body):
    server.on("(GET|POST) /data", lambda call: call.reply(200, [], body))
    done = ctl.run(*command.split(), status=None, cwd=folder)
    if body == b"{}" and command in ("datasets list", "export get 1"):
        assert done.status == 0  # an empty map; a job of which nothing is told
    else:
        assert done.status == REFUSED and done.out == "" and done.err.startswith("consignctl: ")
    assert everything(folder) == []


def test_a_terminal_is_sent_no_commands(ctl, server, folder):
    evil = "\033]0;evil\007\033[2J\u009b2J\u0080\u009f\x7f\r\n\u00a0\u015b\u20ac"
    server.on("GET .*/dataSets", lambda call: call.say({"1": {"name": evil, "schemaRef": {"id": evil}}}))
    server.on("GET .*/jobs/1", lambda call: call.say({"title": evil, "detail": evil, "requestId": evil, "pointer": evil}, 400))
    shown = ctl.run("datasets").out + ctl.run("export", "get", "1", status=REFUSED).err
    assert "evil" in shown
    listed = ctl.run("datasets", "--json")
    assert listed.json() == [{"id": "1", "name": evil, "schemaRef": {"id": evil}}]
    assert not [sign for sign in shown + listed.out if ord(sign) < 32 and sign not in "\n\t" or 127 <= ord(sign) < 160]


@pytest.mark.parametrize("answer", [
    {}, {"access_token": 7, "expires_in": 9}, {"access_token": "a\r\nx: y", "expires_in": 9},
    {"access_token": "", "expires_in": 9}, {"access_token": TOKEN},
    {"access_token": TOKEN, "expires_in": -1}, {"access_token": TOKEN, "expires_in": 0},
    {"access_token": TOKEN, "expires_in": 1e300}, {"access_token": TOKEN, "expires_in": 2**53 - 1},
    {"access_token": TOKEN, "expires_in": 10**9 + 1}, {"access_token": TOKEN, "expires_in": "3600"},
    {"access_token": "a" * 8193, "expires_in": 9}])
def test_tokens_that_are_none(ctl, server, folder, answer):
    server.on("POST /ims/token", lambda call: call.say(answer))
    assert "holds no token" in ctl.run("datasets", status=REFUSED).err
    assert server.asked("dataSets") == []


def test_nothing_is_told_to_anybody_else(ctl, server, folder):
    """The secret goes to the token endpoint alone, the token to /data alone, neither to a terminal."""
    done = download(ctl, folder)
    assert SECRET not in done.out + done.err and TOKEN not in done.out + done.err
    for call in server.seen:
        is_token = call.path == "/ims/token/v3"
        told = unquote(call.body.decode()) + call.path + str(call.headers)
        assert is_token == (SECRET in told) and is_token == (TOKEN not in told)
        assert is_token == ("Authorization" not in call.headers) and is_token == (call.command == "POST")
        assert is_token or call.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_server_that_cuts_each_time_is_given_up(ctl, server, folder):
    def act(call):
        raise Cut
    server.on("path=part", act)
    done = download(ctl, folder, "--timeout", 3, status=GAVE_UP, seconds=30)
    assert "part-0.json: gave up after 0 of 5000 bytes" in done.err


def test_a_server_that_begins_anew_each_time_is_given_up(ctl, server, folder):
    server.on("path=part", lambda call: call.cut(200, [], DATA, 1000))
    done = download(ctl, folder, status=GAVE_UP, seconds=30)
    assert "part-0.json: gave up after 1000 of 5000 bytes" in done.err and len(server.asked("path=part")) == 5


@pytest.mark.parametrize("what, before, zeros", [("GET .*/jobs/", b'{"id":', 1 << 20), ("POST /ims/token", b'{"id":', 1 << 20),
                                                 ("GET .*/meta", b'{"files":', 100_000)])
def test_values_without_an_end_are_let_go(ctl, server, folder, what, before, zeros):
    server.on(what, lambda call: call.reply(200, [], before + b"[0" + b",0" * zeros + b"]}"))
    assert "too many values" in download(ctl, folder, status=REFUSED).err


def test_the_manifest_that_is_kept_is_the_servers(ctl, server, folder):
    download(ctl, folder)
    assert json.loads((folder / "manifest.json").read_text()) == {"files": [entry()]}
    download(ctl, folder)  # the same
    (folder / "manifest.json").write_text(json.dumps({"batch": BATCH, "files": []}))
    download(ctl, folder)  # another of this batch
    assert json.loads((folder / "manifest.json").read_text()) == {"files": [entry()]}


@pytest.mark.parametrize("theirs", [b'{"name":"app"}', b"", b"nonsense", b'["batch"]', b'{"batch":7}', b'{"batch":"x"}', "link",
                                    "folder"], ids=repr)
def test_a_manifest_that_is_none_of_the_batch_is_not_replaced(ctl, server, folder, theirs):
    file = folder / "manifest.json"
    if theirs == "link":
        file.symlink_to("elsewhere")
    elif theirs == "folder":
        file.mkdir()
    else:
        file.write_bytes(theirs)
    done = download(ctl, folder, status=REFUSED)
    assert f"no manifest of batch {BATCH}" in done.err and server.asked("path=part") == []
    assert [path.name for path in folder.iterdir()] == [file.name]
    assert file.is_symlink() or file.is_dir() or file.read_bytes() == theirs
