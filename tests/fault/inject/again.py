"""An orderly end and a new start of one service, with the settings that the stand has then."""

import signal
import time

from stack import is_alive
from stand import send_signal


def restart_service(stand, service):
    root = stand.root(service)
    send_signal(root, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while is_alive(root):
        assert time.monotonic() < deadline, f"{service} does not end"
        time.sleep(0.02)
    stand.up()
