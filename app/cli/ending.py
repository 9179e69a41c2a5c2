"""How commands end in order: on a signal, and with the process that started them."""

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

LAST_RESORT_SECONDS = 15


def stop_in_order(*signals: signal.Signals, code: int = 0) -> None:
    """Let the first of `signals` unwind every `with` block and end with `code`; further ones would only
    disturb that, so they are ignored from then on."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, signal.SIG_IGN)
        raise SystemExit(code)

    for one in signals:
        signal.signal(one, stop)


def end_with_parent() -> None:
    """In a child: end in order when the parent is gone, however it went (its end of our input closes)."""
    threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_RESORT_SECONDS)
    os._exit(1)
