"""Rows: what a SUCCEEDED job has written is what the store holds up to its watermark, each once and only the tenant's.

Records stay where they are once ingested, unless they are removed; so the database tells what a job must hold. A
record that somebody asked to remove may be in or not, except in a job of after all that. JSON is read here; of Parquet
the figures of the catalog are taken, and tests/integ reads such files by readers of others.
"""

import bisect
import ctypes
import json

LIB = ctypes.CDLL("libzstd.so.1")
LIB.ZSTD_createDStream.restype = ctypes.c_void_p
LIB.ZSTD_decompressStream.restype = ctypes.c_size_t
PIECE = 1 << 20


class Span(ctypes.Structure):
    """ZSTD_inBuffer, ZSTD_outBuffer."""

    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


def unpacked(data):
    """The text of zstd frames; ValueError when they are broken or cut short."""
    stream = ctypes.c_void_p(LIB.ZSTD_createDStream())
    source, target = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(PIECE)
    given, found, left = Span(ctypes.addressof(source), len(data), 0), [], 1
    try:
        while given.pos < given.size or left > 0:
            taken = Span(ctypes.addressof(target), PIECE, 0)
            left = LIB.ZSTD_decompressStream(stream, ctypes.byref(taken), ctypes.byref(given))
            if LIB.ZSTD_isError(ctypes.c_size_t(left)):
                raise ValueError("no zstd frame")
            found.append(ctypes.string_at(target, taken.pos))
            if left > 0 and given.pos == given.size and taken.pos == 0:
                raise ValueError("the zstd frame ends early")
    finally:
        LIB.ZSTD_freeDStream(stream)
    return b"".join(found)


def rows_of(path):
    data = path.read_bytes()
    return [json.loads(line) for line in (unpacked(data) if path.suffix == ".zst" else data).split(b"\n") if line]


class Expected:
    """What the store holds up to a watermark, by the database."""

    def __init__(self, truth):
        self.order = sorted((row.ingested_ms, row.value) for row in truth.records.values())
        self.events = {}
        for row in truth.events.values():
            self.events.setdefault(row.of, []).append((row.ingested_ms, row.value))

    def records(self, watermark_ms):
        return {value for _, value in self.order[:bisect.bisect_right(self.order, (watermark_ms, "~"))]}

    def events_of(self, value, watermark_ms):
        return {event for ms, event in self.events.get(value, ()) if ms <= watermark_ms}


def check(truth, sent, whole, attempts, found):
    # of a job whose answer never came the log does not say more
    asked = {made.answer["id"]: made for made in attempts if made.op == "job" and made.good and "id" in made.answer}
    expected = Expected(truth)
    for job in truth.jobs:
        if job.status != "SUCCEEDED":
            continue
        batch = truth.batches.get(job.batch)
        if batch is None or batch.status != "success":
            found.lost(f"job {job.job} SUCCEEDED and its batch is {'gone' if batch is None else batch.status}")
        if job.batch not in whole:
            continue  # why was told
        made = asked.get(job.job)
        try:
            one(job, made, truth, sent, whole[job.batch], expected, found)
        except (ValueError, KeyError, OSError) as error:
            found.half(f"the files of job {job.job} can't be read: {type(error).__name__}: {error}")


def one(job, made, truth, sent, files, expected, found):
    wanted = expected.records(job.watermark_ms)
    spare = sent.removed | sent.perhaps_removed
    if any(path.suffix == ".parquet" for path, _ in files):
        count = sum(records for _, records in files)
        if not len(wanted) <= count <= len(wanted) + len(spare):
            found.lost(f"job {job.job}: {count} rows, and {len(wanted)} records up to its watermark")
        return
    rows, events = [], {}
    for path, records in files:
        part = rows_of(path)
        if len(part) != records:
            found.half(f"job {job.job}: {len(part)} rows in {path.name}, not {records}")
        rows += part
    for row in rows:
        if row["_tenant"]["who"] != truth.place.tag:
            found.unexpected(f"job {job.job} shows a record of another tenant: {row['_tenant']}")
        events[row["_tenant"]["n"]] = [event["_tenant"]["n"] for event in row.get("eventList", ())]
    if len(events) < len(rows):
        found.duplicated(f"job {job.job}: {len(rows) - len(events)} profiles stand in it twice")
    final = made is not None and made.final
    for value in sorted(wanted - events.keys())[:3]:
        found.lost(f"job {job.job} up to {job.watermark_ms} misses record {value}, among {len(wanted - events.keys())}")
    for value in sorted(events.keys() - wanted - (set() if final else spare))[:3]:
        found.unexpected(f"job {job.job} up to {job.watermark_ms} holds record {value}, which is not in the store up to then")
    if made is not None and made.events:
        check_events(job, events, expected, spare, found)


def check_events(job, events, expected, spare, found):
    for value, listed in events.items():
        if len(set(listed)) < len(listed):
            found.duplicated(f"job {job.job}: an event of {value} stands in it twice")
        if value not in spare and set(listed) != expected.events_of(value, job.watermark_ms):
            found.lost(f"job {job.job} up to {job.watermark_ms}: events of {value} are {sorted(listed)}, not "
                       f"{sorted(expected.events_of(value, job.watermark_ms))}")
