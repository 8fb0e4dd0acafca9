"""The profile store: every acknowledged record is in it, once, unless it was removed; and nothing else is."""

from collections import defaultdict


class Sent:
    """What the log says of a tenant's records: by value, what was acknowledged, what may be there, what may be gone."""

    def __init__(self, place, attempts):
        self.surely, self.perhaps, self.removed, self.perhaps_removed = set(), set(), set(), set()
        self.events = {}  # event -> the profile that it is of
        self.all_or_none = {}  # what was sent as one -> its records
        self.before = {f"base{number:06}" for number in range(place.base)}
        self.surely |= self.before
        completes = defaultdict(list)
        for made in attempts:
            if made.op in ("message", "messages"):
                values = made.records or made.events
                (self.surely if made.good else self.perhaps if made.unknown else set()).update(values)
                if made.of:
                    self.events[made.events[0]] = made.of
                self.all_or_none[f"call {made.nonce or made.number}"] = values
            elif made.op == "complete":
                completes[made.batch].append(made)
            elif made.op == "remove":
                (self.removed if made.good or made.status == 404 else self.perhaps_removed).add(made.nonce)
        for batch, tries in completes.items():
            surely = any(made.good or made.status == 409 for made in tries)
            (self.surely if surely else self.perhaps).update(tries[0].records)
            self.all_or_none[f"batch {batch}"] = tries[0].records
        self.completes = completes
        self.perhaps -= self.surely
        self.perhaps_removed -= self.removed

    def gone(self, value):
        """Whether a removal was asked for that takes it along: of itself or of the profile that it is an event of."""
        return self.events.get(value, value) in self.removed or self.events.get(value, value) in self.perhaps_removed


def check(truth, sent, attempts, found):
    there = {**truth.records, **truth.events}
    for value in sent.surely - there.keys():
        if not sent.gone(value):
            found.lost(f"record {value} was acknowledged and is not in the store")
    for value in there.keys() - sent.surely - sent.perhaps:
        found.unexpected(f"record {value} is in the store and nobody sent it")
    for value in sent.removed & truth.records.keys():
        found.lost(f"record {value} was removed and is in the store")
    for event, of in sent.events.items():
        # an event sent after the removal of its profile makes the profile anew
        if of in sent.removed and event in truth.events and removed_after(of, event, attempts):
            found.lost(f"event {event} of the removed profile {of} is in the store")
    for what, values in sent.all_or_none.items():
        left = [value for value in values if not sent.gone(value)]
        present = sum(value in there for value in left)
        if 0 < present < len(left):
            found.half(f"of {what} {present} of {len(left)} records are in the store")
    files(truth, sent, found)
    streams(truth, attempts, found)


def removed_after(of, event, attempts):
    """Whether the removal of a profile began after the event's message was acknowledged."""
    sent = [made.t1 for made in attempts if made.op == "message" and made.events == [event] and made.good]
    asked = [made.t0 for made in attempts if made.op == "remove" and made.nonce == of and made.good]
    return bool(sent and asked) and max(asked) > max(sent)


def files(truth, sent, found):
    """Batches of files end in success, with all of their records; those that nobody completed stay open."""
    for batch, tries in sent.completes.items():
        row = truth.batches.get(batch)
        surely = any(made.good or made.status == 409 for made in tries)
        if row is None:
            found.lost(f"batch {batch} is gone")
        elif surely and row.status != "success":
            found.lost(f"batch {batch} was completed and is {row.status}: {row.errors}")
        elif row.status == "success" and (row.output_records, row.failed_records) != (len(tries[0].records), 0):
            found.half(f"batch {batch} says {row.output_records} records and {row.failed_records} bad ones of {len(tries[0].records)}")


def streams(truth, attempts, found):
    """What the batches count that messages are counted by: each message once, none refused."""
    for dataset in (truth.place.datasets["stream"], truth.place.datasets["event"]):
        counted = [row for row in truth.batches.values() if row.stream and row.dataset == dataset]
        loaded = sum(row.output_records or 0 for row in counted)
        refused = sum(row.failed_records or 0 for row in counted)
        if refused:
            found.lost(f"{refused} good messages of dataset {dataset} were refused")
        least, most = counts(attempts, dataset == truth.place.datasets["event"])
        if loaded + refused < least:
            found.lost(f"{least} messages of dataset {dataset} were acknowledged and {loaded} loaded")
        if loaded > most:
            found.duplicated(f"{loaded} messages of dataset {dataset} were loaded, and at most {most} sent")


def counts(attempts, events):
    """How many messages were acknowledged, and how many at most can have been accepted."""
    calls = defaultdict(list)
    for made in attempts:
        if made.op in ("message", "messages") and bool(made.events) == events:
            calls[made.nonce].append(made)
    least = most = 0
    for tries in calls.values():
        size = len(tries[0].records or tries[0].events)
        good, open_ = sum(made.good for made in tries), sum(made.unknown for made in tries)
        least += size * min(good, 1)
        most += size * (min(good + open_, 1) if tries[0].key else good + open_)
    return least, most
