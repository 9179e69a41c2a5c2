"""`python -m benchmarks.hooks`: deliveries a second by one worker, to a receiver on this machine that answers at once.

A place of its own with real processes, as the drills have it: every event is claimed, signed, sent and settled.
"""

import argparse
import asyncio

from tests.drills.place import directory, place
from tests.drills.telling import telling_rate

BAR = 200  # deliveries a second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--referrals", type=int, default=400)
    parser.add_argument("--events", type=int, default=10, help="of each referral, in order")
    options = parser.parse_args()
    count, seconds = asyncio.run(_measure(options.referrals, options.events))
    print(f"{count:,} deliveries of one organisation in {seconds:.1f} s: {count / seconds:.0f}/s (bar {BAR})")


async def _measure(referrals: int, events: int) -> tuple[int, float]:
    with directory() as data_dir, directory() as logs:
        async with place(data_dir, logs, processes=1) as here:
            return await telling_rate(here, referrals, events)


if __name__ == "__main__":
    main()
