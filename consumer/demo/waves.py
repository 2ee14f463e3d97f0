"""The waves in which the stream is published."""

import math

MEAN_RATE = 1250.0
"""Records a second, over whole waves."""
WAVE_SECONDS = 4.0
DEPTH = 0.9
"""How far a wave goes down and up from the mean, as a part of it."""

LIVELY_SECONDS, CALMER = 60.0, 8.0
"""After so long the rate is divided by so much: the embedded broker keeps every record in memory, 1 KB or more each."""


def due(seconds: float) -> float:
    """How many records are to be published by then: it rises in waves, from a calm, and later on less steeply."""
    lively = min(seconds, LIVELY_SECONDS)
    return _waves(lively) + _waves(seconds - lively) / CALMER


def _waves(seconds: float) -> float:
    turn = math.tau / WAVE_SECONDS
    return MEAN_RATE * (seconds - DEPTH * math.sin(turn * seconds) / turn)
