"""What a process does once to be observed: its logs are scrubbed, its traces go where the environment says."""

import logging
from functools import lru_cache

from agent.observability import tracing
from agent.observability.langsmith_client import start_langsmith
from agent.observability.redaction import scrub_logs
from agent.settings import Settings


@lru_cache(maxsize=1)
def _once(endpoint: str) -> None:
    start_langsmith()
    if endpoint:
        tracing.start(endpoint)


def start_observing(config: Settings) -> None:
    """Begin, once; another time finds new log handlers alone. Imports and reads files.

    Raises ModuleNotFoundError where OTEL_EXPORTER_OTLP_ENDPOINT is set without the extra `otel`.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line shows them
    scrub_logs()
    _once(config.otel_exporter_otlp_endpoint)
