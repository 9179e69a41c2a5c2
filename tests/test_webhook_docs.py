"""The receiver in docs/webhooks.md is run as it stands there, and takes what the worker sends."""

import asyncio
import os
import re
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from app.webhooks.sending import Sender
from app.webhooks.signing import body_of, new_secret, signed

DOCUMENT = Path(__file__).parent.parent / "docs" / "webhooks.md"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_the_receiver_of_the_guide_verifies_and_knows_what_it_has_had() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    secret, port = new_secret(), free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(port)),
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    sender, url = Sender(demo=True, at_once=4), f"http://127.0.0.1:{port}/"
    try:
        async with asyncio.timeout(20):
            while (await sender.look(url)).status is None:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        now, event_id, referral = datetime.now(UTC), uuid4(), uuid4()
        body = body_of("referral.accepted", now, referral, "accepted")
        rightly = signed(body, event_id, now, [new_secret(), secret])
        for headers, sent, status in (
            (rightly, body, 204),
            (rightly, body, 204),
            (rightly, body.replace(b"accepted", b"rejected"), 400),
            (signed(body, uuid4(), now, [new_secret()]), body, 400),
            (signed(body, uuid4(), now - timedelta(minutes=6), [secret]), body, 400),
            ({**rightly, "webhook-signature": "nonsense"}, body, 400),
        ):
            assert (await sender.post(url, headers, sent)).status == status
    finally:
        process.kill()
        said, _ = await process.communicate()
    assert said.decode().splitlines() == [f"referral.accepted {referral} accepted"]
