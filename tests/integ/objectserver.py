"""OpenStack Swift with its S3 interface, whole, in one process on loopback: the object store of the tests.

Debian's python3-swift: proxy, account, container and object server as they ship, with a ring of one device each. It checks
signatures (Version 4, header and query), the SHA-256 of each body, sizes of parts, and takes ranges. What is left out is
memcached, for which a dictionary stands in, and the daemons that repair.

As a program: objectserver.py DIR PORT; prints a line when it serves, and ends with its standard input, so with whoever started
it, however that ended. ACCESS and SECRET may do everything.
"""

import os
import pathlib
import subprocess
import sys
import time

ACCESS, SECRET = "test:tester", "s3cr3t-of-the-tests"  # account:user is Swift's form

BACKEND = """[DEFAULT]
devices = {dir}/devices
swift_dir = {dir}
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
log_level = ERROR
[app:main]
use = egg:swift#{kind}
"""

PROXY = """[DEFAULT]
swift_dir = {dir}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""


class ObjectServer:
    """The process; start() and stop() as often as wanted, what is stored stays."""

    def __init__(self, place, port):
        self.dir = pathlib.Path(place)
        self.port = port
        self.process = None

    def start(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, __file__, str(self.dir), str(self.port)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        if not self.process.stdout.readline():
            raise RuntimeError("the object store does not start: " + (self.dir / "log").read_text()[-2000:])

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None


class Cache:
    """What Swift asks of memcached."""

    def __init__(self):
        self.kept = {}

    def get(self, key, raise_on_error=False):
        value, until = self.kept.get(key, (None, 0))
        return value if until == 0 or until > time.time() else None

    def set(self, key, value, serialize=True, time=0, **more):
        self.kept[key] = value, now() + time if time else 0

    def incr(self, key, delta=1, time=0):
        self.set(key, (self.get(key) or 0) + int(delta), time=time)
        return self.get(key)

    def decr(self, key, delta=1, time=0):
        return self.incr(key, -delta, time)

    def delete(self, key, server_key=None):
        self.kept.pop(key, None)

    def set_multi(self, mapping, server_key, serialize=True, time=0, **more):
        for key, value in mapping.items():
            self.set(key, value, time=time)

    def get_multi(self, keys, server_key):
        return [self.get(key) for key in keys]


def now():
    return time.time()


def make_ring(path, port):
    from swift.common.ring import RingBuilder
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1",
                     "replication_port": port, "device": "d1", "weight": 1, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(str(path))


def serve(place, port):
    import eventlet
    eventlet.monkey_patch(all=False, socket=True, select=True, thread=True, time=True)
    from eventlet import wsgi
    from swift.common import utils
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b"consign", b"tests"
    from swift.common.wsgi import loadapp
    place = pathlib.Path(place)
    (place / "devices" / "d1").mkdir(parents=True, exist_ok=True)

    def run(listener, app):
        quiet = open(os.devnull, "w")
        eventlet.spawn(wsgi.server, listener, app, quiet, max_size=256, keepalive=True, debug=False,
                       capitalize_response_headers=False, minimum_chunk_size=65536)

    for kind, ring in (("account", "account"), ("container", "container"), ("object", "object")):
        listener = eventlet.listen(("127.0.0.1", 0))
        make_ring(place / f"{ring}.ring.gz", listener.getsockname()[1])
        conf = place / f"{kind}.conf"
        conf.write_text(BACKEND.format(dir=place, kind=kind))
        run(listener, loadapp(str(conf), global_conf={"log_name": kind}))
    conf = place / "proxy.conf"
    conf.write_text(PROXY.format(dir=place, user=ACCESS.replace(":", "_"), secret=SECRET))
    app, cache = loadapp(str(conf), global_conf={"log_name": "proxy"}), Cache()

    def with_cache(environ, start):
        environ["swift.cache"] = cache
        return app(environ, start)

    run(eventlet.listen(("127.0.0.1", int(port))), with_cache)
    print("serving", flush=True)
    eventlet.hubs.trampoline(sys.stdin, read=True)  # nobody writes: its end


if __name__ == "__main__":
    serve(*sys.argv[1:])
