"""Traces: one of each batch, sent to an OTLP/HTTP receiver. Off unless the standard variables OTEL_* name one.

`switch.py` decides that. Only what it then imports, `spans.py` and `sending.py`, needs the extra `otel`.
"""
