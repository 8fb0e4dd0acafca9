"""bench_constant beside the pool of a stack, and nginx's files that lead to it and to a static answer.

Each is another port of the same nginx, with the rules of the public server: PORT + 2 the constant answer as the product
hands requests over, PORT + 3 the same by a connection for each request, PORT + 4 the product by a connection for each. The path
/static of PORT + 2 is answered by nginx. What is not asked sleeps, so all of them and the product are measured in turn
without a restart. Caller: pathbed.py.
"""
import os
import re
import shutil
import signal
import subprocess
import time

from bed import BUILD

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


class Constant:
    """.pid of the supervisor of bench_constant."""

    def __init__(self, stack, workers, answer):
        self.socket = stack.dir / "run" / "bench.sock"
        program, body = stack.dir / "bin" / "bench_constant", stack.dir / "run" / "bench.json"
        owner = os.stat(stack.dir)
        shutil.copy(BUILD / "bench" / "bench_constant", program)
        os.chown(program, owner.st_uid, owner.st_gid)
        body.write_bytes(answer)
        os.chown(body, owner.st_uid, owner.st_gid)
        as_user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(stack.dir / "log" / "bench.log", "ab") as log:
            self.process = subprocess.Popen([str(program), str(self.socket), str(workers), str(body)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, **as_user)
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


def replaced(text, *pairs):
    for old, new in pairs:
        text, count = re.subn(old, new, text)
        if count < 1:
            raise RuntimeError(f"nginx's files have no {old}")
    return text


def write_nginx(stack, port, answer, socket):
    """Adds the servers to the rendered files of the stack; socket: that of the constant answer."""
    folder = stack.dir / "nginx"
    text = (folder / "consign.conf").read_text(encoding="utf-8")
    log = re.search(r"access_log .*;", text)[0]
    start, end = text.index("upstream consign_once"), text.index("include consign/limits.conf;")
    upstreams = replaced(text[start:end], ("consign_", "bench_"), (r"unix:[^;]*;", f"unix:{socket};"))
    rules = (folder / "consign" / "pool.conf").read_text(encoding="utf-8")
    once = replaced(rules, ("fastcgi_keep_conn on;", "fastcgi_keep_conn off;"),
                    ("fastcgi_next_upstream error;", "fastcgi_next_upstream off;"))
    servers = []
    for i, (name, way, pool) in enumerate((("constant", rules, "$bench_pool"), ("constant_once", once, "bench_once"),
                                           ("product_once", once, "consign_once"))):
        (folder / "consign" / f"bench_{name}.conf").write_text(replaced(way, (r"fastcgi_pass .*;", f"fastcgi_pass {pool};")),
                                                               encoding="utf-8")
        servers.append(SERVER.format(port=port + 2 + i, log=log, pool=f"bench_{name}.conf", answer=answer.decode().replace("'", "")))
    (folder / "bench.conf").write_text(upstreams + "".join(servers), encoding="utf-8")
    main = (folder / "nginx.conf").read_text(encoding="utf-8")
    if "include bench.conf;" not in main:
        (folder / "nginx.conf").write_text(main.replace("include consign.conf;", "include consign.conf;\n    include bench.conf;"),
                                           encoding="utf-8")
