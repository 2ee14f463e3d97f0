"""What the service knows of itself goes on being true while nothing happens."""

import time

from neon_projector.consumer.telemetry.state import ServiceState


def test_what_waits_grows_older_though_nobody_counts_it_again() -> None:
    state = ServiceState("group")
    assert state.waits == {}
    state.waited, state.counted_at = {"parent": 60.0, "version": 0.0}, time.time() - 3600
    assert state.waits["version"] == 0.0, "nothing waits for that"
    assert 3660 <= state.waits["parent"] < 3665
    state.counted_at = time.time() + 3600  # the clock was put back
    assert state.waits["parent"] == 60.0
