"""webhook_claim: what an endpoint may have under way is kept by senders that claim at the same time."""

from several import Session, Tap


def claim(session):
    return len(session.rows("SELECT 1 FROM consign.webhook_claim(64, 60000)"))


def at_once(tap):
    with Session(None) as owner, Session("consign_sender") as a, Session("consign_sender") as b:
        owner.rows("DELETE FROM consign.webhook_event")
        owner.rows("INSERT INTO consign.webhook_event (org, sandbox, event, webhook, body, created_ms, not_before_ms)"
                   " SELECT 1, 11, gen_random_uuid(), 'hook', '{}', 0, 0 FROM generate_series(1, 20)")
        with a.transaction():
            tap.is_(claim(a), 4, "a sender takes what the endpoint may have")
            tap.is_(claim(b), 0, "nobody takes more before it is through")
        tap.is_(claim(b), 0, "nor after")
        owner.rows("UPDATE consign.webhook_event SET sending = false WHERE sending")
        owner.rows("UPDATE consign.webhook_event SET not_before_ms = 0")
        tap.is_(claim(b), 4, "what is free is anybody's")
        owner.rows("DELETE FROM consign.webhook_event")


with Tap() as results:
    at_once(results)
