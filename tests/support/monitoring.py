"""Debian's Prometheus and Alertmanager on free ports, each in its own folder, with the rules and routes of deploy/;
and whoever they tell, at the addresses of PagerDuty and Slack. Ended by their process ids.

Their copies differ from the originals in where things are and in how long one waits, and in nothing else.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from signal import SIGTERM
from threading import Thread
from typing import Any, Final

import httpx
import yaml

from tests.support.live_server import ROOT, LiveServer, Process, free_port, wait_for

DEPLOY: Final = ROOT / "deploy" / "prometheus"
PAGERDUTY_KEY: Final = "0" * 32
PROGRAMS: Final = ("prometheus", "prometheus-alertmanager")


def absent_programs() -> list[str]:
    """Which of the two are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Catcher:
    """Who is told, in the place of PagerDuty and Slack. Keeps what is posted to each, in order."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []
        kept = {"/pagerduty": self.pages, "/slack": self.warnings}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept[self.path].append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(202 if self.path == "/pagerduty" else 200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args: Any) -> None:
                """Nothing is printed."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody listens any more."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def paged(self) -> list[str]:
        """What PagerDuty was told to do, in order: `trigger`, `resolve`."""
        return [page["event_action"] for page in list(self.pages)]


class Monitoring:
    """Prometheus that scrapes a server each second, Alertmanager, and who is told."""

    def __init__(self, folder: Path, server: LiveServer) -> None:
        self.catcher = Catcher()
        self.prometheus = f"http://127.0.0.1:{free_port()}"
        self.alertmanager = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._write(server)
        self._processes: list[Process] = []

    def _write(self, server: LiveServer) -> None:
        def copy(name: str) -> Any:
            text = (DEPLOY / name).read_text()
            return yaml.safe_load(text.replace("/etc/prometheus", str(self._folder)))

        def write(name: str, content: Any) -> None:
            (self._folder / name).write_text(yaml.safe_dump(content))

        self._folder.mkdir(parents=True)
        (self._folder / "secrets").mkdir()
        for name, secret in (
            ("desk-token", server.tokens["operator"]),
            ("pagerduty-key", PAGERDUTY_KEY),
            ("slack-url", f"{self.catcher.url}/slack"),
        ):
            (self._folder / "secrets" / name).write_text(secret)
        config = copy("prometheus.yml")
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [_address(self.alertmanager)]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [_address(server.url)]
        write("prometheus.yml", config)
        write("recording.yml", copy("recording.yml"))
        alerts = copy("alerts.yml")
        for rule in (rule for group in alerts["groups"] for rule in group["rules"]):
            rule |= {name: "2s" for name in ("for", "keep_firing_for") if name in rule}
        write("alerts.yml", alerts)
        config = copy("alertmanager.yml")
        config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
        config["global"] = {"pagerduty_url": f"{self.catcher.url}/pagerduty"}
        write("alertmanager.yml", config)

    def start(self) -> None:
        """Start both, and wait until they are ready."""
        self._start("prometheus", "prometheus.yml", self.prometheus, "--storage.tsdb.path=")
        alone = "--cluster.listen-address="
        self._start("prometheus-alertmanager", "alertmanager.yml", self.alertmanager, "--storage.path=", alone)

    def _start(self, program: str, config: str, url: str, storage: str, *more: str) -> None:
        options = [
            f"--config.file={self._folder / config}",
            f"--web.listen-address={_address(url)}",
            f"{storage}{self._folder / program}-data",
            *more,
        ]
        log = self._folder / f"{program}.log"
        process = Process([program, *options], log, self._folder.parent, os.environ)
        self._processes.append(process)
        wait_for(lambda: _ready(url, process), 30, log.read_text)

    def stop(self) -> None:
        """End both."""
        for process in self._processes:
            process.end(SIGTERM)
        self.catcher.close()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What Prometheus answers now. Raises AssertionError with its words when it can't."""
        answer = httpx.post(
            f"{self.prometheus}/api/v1/query", data={"query": query}, timeout=10, trust_env=False
        ).json()
        assert answer["status"] == "success", (query, answer)
        assert not answer.get("warnings"), (query, answer)
        return list(answer["data"]["result"])

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {each["metric"]["alertname"] for each in self.ask('ALERTS{alertstate="firing"}')}

    def unhealthy_rules(self) -> list[dict[str, Any]]:
        """Rules that could not be evaluated, or have not been yet."""
        groups = httpx.get(f"{self.prometheus}/api/v1/rules", timeout=10, trust_env=False).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"] if rule["health"] != "ok"]

    def inhibited(self, alerts: list[dict[str, str]]) -> set[str]:
        """Which of these Alertmanager keeps to itself when they fire together. It needs a moment to know."""
        posted = [{"labels": labels, "annotations": {"summary": " ".join(labels.values())}} for labels in alerts]
        url = f"{self.alertmanager}/api/v2/alerts"
        httpx.post(url, json=posted, timeout=10, trust_env=False).raise_for_status()
        known = httpx.get(url, timeout=10, trust_env=False).raise_for_status().json()
        return {each["labels"]["alertname"] for each in known if each["status"]["inhibitedBy"]}


def _address(url: str) -> str:
    return url.removeprefix("http://")


def _ready(url: str, process: Process) -> bool:
    if not process.alive:
        raise RuntimeError(process.log.read_text())
    try:
        return httpx.get(f"{url}/-/ready", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def monitoring(folder: Path, server: LiveServer) -> Iterator[Monitoring]:
    """Both watch this server, until the end of the block."""
    made = Monitoring(folder, server)
    try:
        made.start()
        yield made
    finally:
        made.stop()
