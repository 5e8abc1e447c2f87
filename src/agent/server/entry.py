"""What `langgraph.json` names: the handlers of `auth`, on a server that is fit to start.

The platform loads this file before anything listens. Ending the process here leaves one line; later it is a traceback.
"""

from pathlib import Path

from agent.files import keep_private
from agent.observability.start import start_observing
from agent.server.auth import auth
from agent.server.startup import open_ledger, unfit
from agent.settings import settings

__all__ = ["auth"]

THREADS = Path(".langgraph_api")
"""Where the development server keeps its threads."""

if why := unfit(settings()):
    raise SystemExit(f"not started: {why}")
try:
    start_observing(settings())
except ModuleNotFoundError as error:
    raise SystemExit(
        f"not started: OTEL_EXPORTER_OTLP_ENDPOINT needs {error.name}: pip install 'order-desk[otel]'"
    ) from None
try:
    keep_private(settings().data_dir)
    if THREADS.exists():
        keep_private(THREADS)
except OSError as error:
    raise SystemExit(f"not started: {error.filename}: {error.strerror}") from None
if why := open_ledger(settings()):
    raise SystemExit(f"not started: {why}")
