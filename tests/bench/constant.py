"""bench_constant beside the pool of a stack, and nginx's files that lead to it and to a static answer.

Each is another port of the same nginx, with the rules of the public server: PORT + 2 the constant answer as the product
hands requests over, PORT + 3 the same by kept connections. The path /static of PORT + 2 is answered by nginx. What is not
asked sleeps, so all of them and the product are measured in turn without a restart. Caller: pathbed.py.
"""
import os
import re
import shutil
import signal
import subprocess
import time

from bed import BUILD

KEPT = 64  # connections that each nginx worker keeps, if the pool lets it

SERVER = """
server {{
    listen 127.0.0.1:{port} backlog=4096;
    server_name _;
    set $consign_listener public;
    {log}
    include consign/problems.conf;
    location / {{
        include consign/{pool};
    }}
    location = /static {{
        default_type application/json;
        return 200 '{answer}';
    }}
}}
"""
# What may be sent twice goes by a kept connection, everything else by one of its own; a kept connection that is
# dropped just when it is used makes nginx send the request again, which only the first may do.
KEPT_HEAD = """
upstream bench_kept {{
    server unix:{socket};
    keepalive {kept};
}}
upstream bench_once {{
    server unix:{socket};
}}
map $request_method $bench_pool {{
    default bench_once;
    GET     bench_kept;
    HEAD    bench_kept;
}}
"""


class Constant:
    """.pid of the supervisor of bench_constant, kept or not."""

    def __init__(self, stack, workers, answer, keep):
        self.socket = stack.dir / "run" / ("kept.sock" if keep else "bench.sock")
        program, body = stack.dir / "bin" / "bench_constant", stack.dir / "run" / "bench.json"
        owner = os.stat(stack.dir)
        if not program.exists():
            shutil.copy(BUILD / "bench" / "bench_constant", program)
            os.chown(program, owner.st_uid, owner.st_gid)
        body.write_bytes(answer)
        os.chown(body, owner.st_uid, owner.st_gid)
        as_user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(stack.dir / "log" / f"{self.socket.stem}.log", "ab") as log:
            self.process = subprocess.Popen([str(program), str(self.socket), str(workers), str(body)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={"CONSIGN_BENCH_KEEP": str(int(keep))}, **as_user)
        self.pid = self.process.pid

    def await_socket(self):
        end = time.monotonic() + 30
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("bench_constant does not start")
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def write_nginx(stack, port, answer, sockets):
    """Adds the servers to the rendered files of the stack. sockets: those of the constant answer, not kept and kept."""
    folder = stack.dir / "nginx"
    text = (folder / "consign.conf").read_text(encoding="utf-8")
    log = re.search(r"access_log .*;", text)[0]
    rules = (folder / "consign" / "pool.conf").read_text(encoding="utf-8")
    (folder / "consign" / "bench_once.conf").write_text(
        re.sub(r"fastcgi_pass .*;", f"fastcgi_pass unix:{sockets[0]};", rules), encoding="utf-8")
    for old, new in ((r"fastcgi_pass .*;", "fastcgi_pass $bench_pool;"), ("fastcgi_keep_conn off;", "fastcgi_keep_conn on;"),
                     ("fastcgi_next_upstream off;", "fastcgi_next_upstream error;")):
        rules, count = re.subn(old, new, rules)
        if count != 1:
            raise RuntimeError(f"nginx/consign/pool.conf has not one {old}")
    (folder / "consign" / "bench_kept.conf").write_text(rules, encoding="utf-8")
    static = answer.decode().replace("'", "")
    servers = [SERVER.format(port=port + 2 + i, log=log, pool=pool, answer=static)
               for i, pool in enumerate(("bench_once.conf", "bench_kept.conf"))]
    (folder / "bench.conf").write_text(KEPT_HEAD.format(socket=sockets[1], kept=KEPT) + "".join(servers), encoding="utf-8")
    main = (folder / "nginx.conf").read_text(encoding="utf-8")
    if "include bench.conf;" not in main:
        (folder / "nginx.conf").write_text(main.replace("include consign.conf;", "include consign.conf;\n    include bench.conf;"),
                                           encoding="utf-8")
