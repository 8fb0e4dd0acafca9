"""Merge policies that meet: the last free place, two defaults, lost updates. Against jobs: 32_policy_races.py."""

from several import Session, Tap, Waiting, clean

MAKE = "SELECT tap.make_policy(1, 12, %s, %s)"
REPLACE = "SELECT version FROM tap.replace_policy(1, 12, %s, %s, from_version => %s, from_default => %s)"
DELETE = "SELECT consign.policy_delete(1, 12, tap.p(%s))"
COUNT = "SELECT count(*) FROM consign.merge_policy WHERE org = 1"
DEFAULTS = "SELECT string_agg(policy, ' ') FROM consign.merge_policy WHERE org = 1 AND sandbox = 12 AND is_default"


def uuid(n):
    return f"00000000-0000-0000-0000-{n:012x}"


def last_place(tap):
    """Org 1 has one in sandbox 11; the calls that race are of two sandboxes."""
    with Session("consign_api") as a, Session("consign_api") as b:
        for n in (2, 3, 4):
            a.tenant(MAKE, n, False)
        with a.transaction():
            a.tenant(MAKE, 5, False)
            waiting = Waiting(b, lambda: b.tenant("SELECT tap.make_policy(1, 11, 6)"))
            tap.ok(waiting.waits, "a call waits for one that takes the last place")
        tap.is_(waiting.outcome(), "CN409", "and finds it taken")
        tap.is_(b.tenant(COUNT), 5, "there are five")


def last_place_undone(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        for n in (2, 3, 4):
            a.tenant(MAKE, n, False)
        try:
            with a.transaction():
                a.tenant(MAKE, 5, False)
                waiting = Waiting(b, lambda: b.tenant(MAKE, 6, False))
                raise RuntimeError
        except RuntimeError:
            pass
        tap.is_(waiting.outcome(), uuid(6), "the place of a call that is undone is free")


def other_org_does_not_wait(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(MAKE, 2, False)
            waiting = Waiting(b, lambda: b.tenant("SELECT version FROM tap.replace_policy(2, 21, 1)", org=2))
            tap.ok(not waiting.waits, "no org waits for another")
        waiting.outcome()


def two_defaults(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(MAKE, 2, True)
            waiting = Waiting(b, lambda: b.tenant(MAKE, 3, True))
            tap.ok(waiting.waits, "a second default waits for the first")
        tap.is_(waiting.outcome(), uuid(3), "and is made")
        tap.is_(b.tenant(DEFAULTS), uuid(3), "the one that came last is the default")


def two_replacements_as_default(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        a.tenant(MAKE, 2, False)
        a.tenant(MAKE, 3, False)
        with a.transaction():
            a.tenant(REPLACE, 2, True, 1, False)
            waiting = Waiting(b, lambda: b.tenant(REPLACE, 3, True, 1, False))
            tap.ok(waiting.waits, "two policies become the default one after the other")
        tap.is_(waiting.outcome(), 2, "and both do")
        tap.is_(b.tenant(DEFAULTS), uuid(3), "the later one stays")


def lost_update(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        a.tenant(MAKE, 2, False)
        with a.transaction():
            a.tenant(REPLACE, 2, False, 1, False)
            waiting = Waiting(b, lambda: b.tenant(REPLACE, 2, True, 1, False))
            tap.ok(waiting.waits, "a change waits for another of the same policy")
        tap.is_(waiting.outcome(), None, "and is not made of what is no longer there")
        tap.is_(b.tenant(DEFAULTS), None, "nothing of it shows")


def unset_under_a_change(tap):
    """The policy loses the default while its new content, made when it had it, is on the way."""
    with Session("consign_api") as a, Session("consign_api") as b:
        a.tenant(MAKE, 2, True)
        with a.transaction():
            a.tenant(MAKE, 3, True)
            waiting = Waiting(b, lambda: b.tenant(REPLACE, 2, True, 1, True))
        tap.is_(waiting.outcome(), None, "a change does not bring back a default that was taken away")
        tap.is_(b.tenant(DEFAULTS), uuid(3), "the new one stays")


def delete_twice(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        a.tenant(MAKE, 2, False)
        with a.transaction():
            a.tenant(DELETE, 2)
            waiting = Waiting(b, lambda: b.tenant(DELETE, 2))
        tap.is_(waiting.outcome(), "CN404", "a second delete finds nothing")


with Tap() as results:
    for test in (last_place, last_place_undone, other_org_does_not_wait, two_defaults, two_replacements_as_default,
                 lost_update, unset_under_a_change, delete_twice):
        clean()
        test(results)
    clean()
