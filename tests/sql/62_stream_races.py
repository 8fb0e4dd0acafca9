"""Messages that meet the end of a pass: none is ever left without an entry in the queue, nor loaded twice."""

import threading

from several import Session, Tap, Waiting, clean

PUT = "SELECT (consign.stream_put(1, 12, tap.d(3), ARRAY[%s], ARRAY['x'], NULL, 'x', NULL, NULL)).xaction"
TAKE = "SELECT body FROM consign.stream_take(1, 12, tap.d(3), 0, 9223372036854775807, 100, 1000)"
LOAD = ("SELECT consign.stream_load(1, 12, tap.d(3), 'stream-' || tap.d(3), 'a', tap.b(9), 0, 1, 1, 1, 1, '[]', 1)")
END = "SELECT consign.stream_end(1, 12, tap.d(3), %s)"
QUEUED = "SELECT count(*) FROM consign.work_queue WHERE org = 1 AND sandbox = 12"
LEFT = "SELECT count(*) FROM consign.stream_message WHERE org = 1 AND sandbox = 12"
CLAIM = "SELECT batch FROM consign.work_claim(%s)"
READY = "UPDATE consign.work_queue SET not_before_ms = 0"


def ready(owner):
    owner.rows(READY)


def put_then_end(tap):
    with Session("consign_api") as api, Session() as spooler, Session(None) as owner:
        api.tenant(PUT, "one")
        ready(owner)
        spooler.one(CLAIM, "a")
        spooler.tenant(TAKE)
        with api.transaction():
            api.tenant(PUT, "two")
            waiting = Waiting(spooler, lambda: spooler.tenant(END, "a"))
            tap.ok(waiting.waits, "the end of a pass waits for a message that is on its way")
        tap.is_(waiting.outcome(), True, "and finds it")
        tap.is_((api.tenant(QUEUED), api.tenant(LEFT)), (1, 1), "the entry stays with it")


def end_then_put(tap):
    with Session("consign_api") as api, Session() as spooler, Session(None) as owner:
        api.tenant(PUT, "one")
        ready(owner)
        spooler.one(CLAIM, "a")
        spooler.tenant(TAKE)
        with spooler.transaction():
            tap.is_(spooler.tenant(END, "a"), False, "a pass that leaves none")
            waiting = Waiting(api, lambda: api.tenant(PUT, "two"))
            tap.ok(waiting.waits, "a message waits for its end")
        tap.is_(waiting.outcome(), "x", "and is taken")
        tap.is_((api.tenant(QUEUED), api.tenant(LEFT)), (1, 1), "with a new entry")


def put_undone(tap):
    with Session("consign_api") as api, Session() as spooler, Session(None) as owner:
        api.tenant(PUT, "one")
        ready(owner)
        spooler.one(CLAIM, "a")
        spooler.tenant(TAKE)
        try:
            with api.transaction():
                api.tenant(PUT, "two")
                waiting = Waiting(spooler, lambda: spooler.tenant(END, "a"))
                raise RuntimeError
        except RuntimeError:
            pass
        tap.is_(waiting.outcome(), False, "a message that is undone leaves nothing")
        tap.is_((api.tenant(QUEUED), api.tenant(LEFT)), (0, 0), "and the entry goes")


def two_first_messages(tap):
    with Session("consign_api") as one, Session("consign_api") as two:
        with one.transaction():
            one.tenant(PUT, "one")
            waiting = Waiting(two, lambda: two.tenant(PUT, "two"))
            tap.ok(waiting.waits, "of two first messages one makes the entry")
        tap.is_(waiting.outcome(), "x", "and the other goes with it")
        tap.is_((one.tenant(QUEUED), one.tenant(LEFT)), (1, 2), "one entry, two messages")


def a_late_attempt(tap):
    """Whoever lost the entry while it held messages gives them back whole."""
    with Session("consign_api") as api, Session() as late, Session() as next_one, Session(None) as owner:
        api.tenant(PUT, "one")
        ready(owner)
        late.conn.execute("BEGIN; SET LOCAL consign.org = 1")
        tap.is_(late.one(TAKE), "one", "an attempt takes a message")
        owner.rows("UPDATE consign.work_queue SET attempt = 'b' WHERE org = 1")
        waiting = Waiting(next_one, lambda: next_one.tenant(TAKE))
        tap.ok(waiting.waits, "the attempt that has the entry now waits for it")
        tap.is_(late.fault(LOAD), "CN410", "the late one may not load")
        late.conn.execute("ROLLBACK")
        tap.is_(waiting.outcome(), "one", "and the message is there for the other")


def many_at_once(tap):
    """Eight clients against passes that never rest: at the end every message was taken once."""
    clients, each, taken, faults = 8, 60, [], []
    done = threading.Event()

    def client(number):
        with Session("consign_api") as api:
            for n in range(each):
                try:
                    api.tenant(PUT, f"{number}.{n}")
                except Exception as error:  # noqa: BLE001 - told below
                    faults.append(error)

    def passes():
        with Session() as spooler, Session(None) as owner:
            attempt = 0
            while True:
                last = done.is_set()
                ready(owner)
                attempt += 1
                if spooler.one(CLAIM, f"a{attempt}") is None:
                    if last:
                        return
                    continue
                with spooler.transaction():
                    spooler.conn.execute("SET LOCAL consign.org = 1")
                    taken.extend(body for (body,) in spooler.rows(TAKE))
                spooler.tenant(END, f"a{attempt}")

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    drain = threading.Thread(target=passes)
    for thread in [*threads, drain]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    drain.join(30)
    tap.is_(faults, [], "no client meets a fault")
    tap.is_(sorted(taken), sorted(f"{c}.{n}" for c in range(clients) for n in range(each)), "every message was taken once")
    with Session("consign_api") as api:
        tap.is_((api.tenant(QUEUED), api.tenant(LEFT)), (0, 0), "nothing is left")


def empty():
    clean()
    with Session(None) as owner:
        owner.rows("DELETE FROM consign.stream_message WHERE org = 1 AND sandbox = 12")


with Tap() as results:
    for test in (put_then_end, end_then_put, put_undone, two_first_messages, a_late_attempt, many_at_once):
        empty()
        test(results)
    empty()
