"""work_claim: whose turn it is, by orgs, sandboxes and kinds of work, by weights and quotas; and the express workers."""

from collections import Counter

from several import Session, Tap, clean, eventually, kept

ORGS = {1: 12, 2: 21, 3: 31}


def queue(org, count=1, sandbox=None, kind="export", attempt=None):
    kept().rows("INSERT INTO consign.work_queue (org, sandbox, kind, batch, attempt, created_ms)"
                " SELECT %s, %s, %s, md5(random()::text), %s, 0 FROM generate_series(1, %s)",
                org, sandbox or ORGS[org], kind, attempt, count)


def quota(org, sandbox=0, **bounds):
    for column, value in bounds.items():
        kept().rows(f"INSERT INTO consign.quota (org, sandbox, {column}) VALUES (%s, %s, %s)"
                    f" ON CONFLICT (org, sandbox) DO UPDATE SET {column} = EXCLUDED.{column}", org, sandbox, value)


def claim(session, express=False):
    """(org, sandbox, kind) or None."""
    found = session.rows("SELECT org, sandbox, kind, entry FROM consign.work_claim(gen_random_uuid()::text, %s)", express)
    session.entry = found[0][3] if found else None
    return found[0][:3] if found else None


def done(session):
    session.rows("DELETE FROM consign.work_queue WHERE entry = %s", session.entry)


def run(sessions, claims, what=0):
    """What is claimed when the sessions take turns, each ending its work before it claims anew."""
    taken = []
    for number in range(claims):
        session = sessions[number % len(sessions)]
        done(session)
        taken.append(claim(session)[what])
    return taken


def sessions(count):
    made = [Session() for _ in range(count)]
    for session in made:
        session.entry = None
    return made


def round_robin(tap):
    (one,) = sessions(1)
    queue(1, 20)
    tap.is_(run([one], 5), [1] * 5, "an org alone gets all")
    queue(2, 20)
    queue(3, 2)
    tap.is_(run([one], 7), [2, 3, 1, 2, 3, 1, 2], "who comes is served next, and then in turns, whoever queued first")
    tap.is_(run([one], 4), [1, 2, 1, 2], "an org without work is passed over")
    queue(3, 5)
    tap.is_(run([one], 6), [3, 1, 2, 3, 1, 2], "and has saved no turns up")


def weights(tap):
    quota(2, weight=3)
    for workers in (1, 2, 3):
        queue(1, 60)
        queue(2, 60)
        several = sessions(workers)
        tap.is_(Counter(run(several, 40)), Counter({2: 30, 1: 10}), f"weights 1 and 3, {workers} workers: a quarter and three")
        with Session(None) as owner:
            owner.rows("DELETE FROM consign.work_queue")
    quota(1, weight=1000)
    queue(1, 30)
    queue(2, 30)
    tap.ok(set(run(sessions(1), 30)) == {1}, "a much heavier one goes first")
    queue(1, 1100)
    tap.ok(2 in run(sessions(1), 400), "and nobody waits for ever")


def shares(tap):
    """Long work does not get hold of one worker after the other."""
    a, b, c = sessions(3)
    queue(1, 10)
    tap.is_([claim(a)[0], claim(b)[0]], [1, 1], "an org alone may hold all workers")
    queue(2, 10)
    tap.is_(run([c], 5), [2] * 5, "then who holds none has the third, whatever it had of turns")
    done(b)
    tap.is_(claim(b)[0], 1, "two of three are for whose turn it is")
    done(c)
    tap.is_(claim(c)[0], 2, "but not three")
    quota(1, weight=5)
    done(c)
    tap.is_(claim(c)[0], 1, "a heavier one may hold more")


def sandboxes(tap):
    (one,) = sessions(1)
    queue(1, 20)
    queue(1, 20, sandbox=11)
    queue(2, 20)
    tap.is_(run([one], 8), [1, 2] * 4, "an org has no more turns for having more sandboxes")
    with Session(None) as owner:
        owner.rows("DELETE FROM consign.work_queue WHERE org = 2")
    tap.is_(Counter(run([one], 8, 1)), Counter({11: 4, 12: 4}), "its sandboxes share its turns")
    quota(1, 11, weight=3)
    tap.is_(Counter(run([one], 12, 1)), Counter({11: 9, 12: 3}), "by their own weights")


def kinds(tap):
    (one,) = sessions(1)
    queue(1, 20)
    queue(1, 20, kind="ingest")
    tap.is_(run([one], 6, 2), ["export", "ingest"] * 3, "exports wait for one load, and loads for one export")
    done(one)
    a, b = sessions(2)
    tap.is_([claim(a)[2], claim(b)[2]], ["export", "ingest"], "loads go one at a time")
    tap.is_(run([a], 3, 2), ["export"] * 3, "while one runs there are exports only")


def most_running(tap):
    a, b, c, d = sessions(4)
    quota(1, running_most=2)
    quota(1, 12, running_most=1)
    queue(1, 5)
    tap.is_(claim(a), (1, 12, "export"), "below its quota")
    tap.is_(claim(b), None, "a sandbox has as much running as it may")
    tap.is_(b.one("SELECT consign.work_waits()"), False, "and what it may not have does not count as waiting")
    queue(1, 5, sandbox=11)
    tap.is_(claim(b), (1, 11, "export"), "another sandbox of the org has not")
    tap.is_(claim(c), None, "the org has")
    queue(2)
    tap.is_(claim(c), (2, 21, "export"), "other orgs do not mind")
    done(a)
    tap.is_(claim(d), (1, 12, "export"), "what is done frees its place")
    quota(1, running_most=3)
    tap.is_(claim(a), (1, 11, "export"), "a higher quota works at once")


def express(tap):
    a, b, x = sessions(3)
    queue(1, 5)
    tap.is_(claim(x, True), (1, 12, "export"), "an express worker takes work of an org for which nothing runs")
    done(x)
    tap.is_(claim(a), (1, 12, "export"), "as others do")
    tap.is_(claim(x, True), None, "but none of an org for which something does")
    tap.is_(claim(b), (1, 12, "export"), "which the others do")
    queue(2)
    tap.is_(claim(x, True), (2, 21, "export"), "so that it is free for who comes")
    a.conn.close()
    b.conn.close()
    done(x)
    eventually(lambda: claim(x, True) == (1, 12, "export"))
    tap.ok(x.entry, "what a dead worker held it takes over as any does")


def no_waiting(tap):
    """A claim that is not committed yet keeps nobody from claiming, of the same org or another."""
    a, b, c = sessions(3)
    for session in (b, c):
        session.rows("SET statement_timeout = '5s'")
    queue(1, 3)
    queue(2, 3)
    with a.transaction():
        tap.is_(claim(a)[0], 1, "claimed and noted, not committed")
        tap.is_([claim(b)[0], claim(c)[0]], [2, 2], "others claim meanwhile")
    done(b)
    tap.is_(claim(b)[0], 1, "and of its org when it is")
    tap.is_(b.one("SELECT count(*) FROM consign.work_turn WHERE sandbox = 0 AND org > 0"), 2, "both orgs have had turns")


def held_rows_are_passed_over(tap):
    """Whoever holds an entry's row keeps workers from that entry and from nobody else's: each claim waited for it."""
    (one,) = sessions(1)
    one.rows("SET statement_timeout = '5s'")
    queue(1)
    queue(2, attempt="dead")
    queue(3)
    with Session(None) as owner, owner.transaction():
        owner.rows("SELECT FROM consign.work_queue WHERE org < 3 FOR UPDATE")
        tap.is_(claim(one)[0], 3, "neither what waits nor what a dead worker held keeps others waiting")
        done(one)
    tap.is_([claim(one)[0], claim(one)[0]], [2, 2], "afterwards it is taken over, first of all")
    done(one)
    tap.is_(claim(one)[0], 1, "and what waits has its turn")


def every_turn_counts(tap):
    """Taking over is no turn: an org pays for its work once."""
    (one,) = sessions(1)
    queue(1, 5)
    queue(2, 5)
    queue(1, attempt="dead")
    tap.is_(run([one], 5), [1, 1, 2, 1, 2], "an orphan first, then as if it had not been")


with Tap() as results:
    for test in (round_robin, weights, shares, sandboxes, kinds, most_running, express, no_waiting, held_rows_are_passed_over,
                 every_turn_counts):
        clean()
        with Session(None) as everybody:
            everybody.rows("DELETE FROM consign.quota")
        test(results)
    clean()
