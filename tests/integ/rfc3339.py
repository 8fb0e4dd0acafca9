"""Date-times of RFC 3339, written from the RFC; used by the oracle and by the tests."""

import re
from datetime import datetime, timedelta, timezone

FORM = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def to_ms(text):
    """Milliseconds since 1970, cut to the millisecond; None when the text is no date-time."""
    found = FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, minute, second, fraction, zone = found.groups()
    leap = second == "60"
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}" + zone.upper().replace("Z", "+00:00"))
        since = moment - EPOCH
    except (ValueError, OverflowError):
        return None
    whole = since // timedelta(seconds=1) + (1 if leap else 0)
    return whole * 1000 + int(((fraction or "") + "000")[:3])


def is_datetime(text):
    """Whether a column of date-times can hold it without loss: at most three digits of fraction, no leap second."""
    found = FORM.fullmatch(text)
    return to_ms(text) is not None and len(found.group(4) or "") <= 3 and found.group(3) != "60"


def from_ms(ms, way="Z"):
    """The moment as RFC 3339, written with Z, +00:00 or +05:30."""
    offset = timedelta(hours=5, minutes=30) if way == "+05:30" else timedelta()
    text = datetime.fromtimestamp(ms / 1000, timezone(offset)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if way == "Z" else text
