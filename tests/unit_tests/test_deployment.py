"""What is deployed is what is tested: the image's recipe, the compose file, the chart's values, `desk serve`'s config.

Nothing here runs Docker. `langgraph validate` is content with paths that are not there, packages that are not
installed, and a recipe that Docker can't read.
"""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agent.server.stopping import CLOSING_SECONDS
from agent.settings import Settings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
CONFIGS: Final = ("langgraph.json", "langgraph.serve.json")
OF_THE_PLATFORM: Final = {"BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS", "LOG_JSON", "N_JOBS_PER_WORKER"}
"""Names of the environment that langgraph-api reads itself."""
SECRETS: Final = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|DATABASE_UR[IL]|LICEN[CS]E")


def config(name: str) -> dict[str, Any]:
    """A config of the platform's."""
    return json.loads((ROOT / name).read_text())  # type: ignore[no-any-return]


def langgraph(*arguments: str) -> str:
    """What the platform's own command line says; it needs no Docker for these."""
    command = [str(Path(sys.executable).with_name("langgraph")), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


@cache
def deployed(name: str) -> dict[str, Any]:
    """A file of deploy."""
    return yaml.safe_load((DEPLOY / name).read_text())  # type: ignore[no-any-return]


def environments() -> dict[str, dict[str, str]]:
    """What a container of ours is given of the environment, by where that is written."""
    compose, values = deployed("compose.yaml")["services"], deployed("values.yaml")
    charted = {
        name: {each["name"]: each["value"] for each in values[name]["deployment"]["extraEnv"]}
        for name in ("apiServer", "queue")
    }
    return {name: compose[name]["environment"] for name in ("migrate", "server")} | charted


# the configs


def test_the_config_that_keeps_everything_differs_from_the_other_in_what_it_keeps_and_whom_it_lets_in() -> None:
    ordinary, keeping = config("langgraph.json"), config("langgraph.serve.json")
    assert keeping.pop("env") == {"STUDIO_MODE": "off", "LANGGRAPH_STRICT_MSGPACK": "true"}
    assert keeping["checkpointer"].pop("path") == "./src/agent/server/kept_threads.py:checkpointer"
    del ordinary["env"]
    assert keeping == ordinary


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_is_valid_and_everything_that_it_names_is_there(name: str) -> None:
    assert "is valid" in langgraph("validate", "--config", name)
    given = config(name)
    targets = [graph["path"] for graph in given["graphs"].values()]
    targets += [given["auth"]["path"], given["http"]["app"], *filter(None, [given["checkpointer"].get("path")])]
    for target in targets:
        path, attribute = target.split(":")
        module = path.removeprefix("./src/").removesuffix(".py").replace("/", ".")
        assert (ROOT / path).is_file()
        if module != "agent.server.entry":  # which ends the process where it may not start
            assert hasattr(import_module(module), attribute), target


@pytest.mark.parametrize("name", CONFIGS)
def test_the_image_has_the_versions_that_are_tested(name: str) -> None:
    given = config(name)
    locked = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().split() if "==" in line)
    project = (ROOT / "pyproject.toml").read_text()
    assert given["api_version"] == locked["langgraph-api"]
    assert f">={given['python_version']}," in project.partition("requires-python")[2].partition("\n")[0]
    folder, *packages = given["dependencies"]
    assert folder == "."
    assert {tuple(package.split("==")) for package in packages} <= locked.items(), "pinned, and as it is locked"


# the recipe


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines that `langgraph build` would give to Docker."""
    file = tmp_path_factory.mktemp("image") / "Dockerfile"
    langgraph("dockerfile", "--config", "langgraph.json", str(file))
    return file.read_text().splitlines()


def test_docker_can_read_each_variable_of_the_recipe(dockerfile: list[str]) -> None:
    """An apostrophe in a description would end its quotes."""
    variables = [line.removeprefix("ENV ") for line in dockerfile if line.startswith("ENV ")]
    for variable in variables:
        [whole] = shlex.split(variable)
        name, _, value = whole.partition("=")
        assert name.isupper()
        if value.startswith("{"):
            assert json.loads(value)
    assert len(variables) >= 5


def test_the_recipe_redirects_no_package_into_a_file(dockerfile: list[str]) -> None:
    """`redis>=8` in a shell is the package redis, with its output in a file called =8."""
    [install] = [line for line in dockerfile if "uv pip install" in line and "redis" in line]
    assert not set("<>|&;") & set(install)


def test_the_recipe_leaves_secrets_out() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".tokens.json", ".data/", "deploy/secrets/", "deploy/prometheus/secrets/"} <= set(ignored)
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().split()


# the compose file


def test_each_file_that_a_service_mounts_is_there() -> None:
    compose = deployed("compose.yaml")
    for name, service in compose["services"].items():
        for source in [volume.split(":")[0] for volume in service.get("volumes", [])]:
            if source.startswith("./") and not source.startswith("./secrets/"):
                assert (DEPLOY / source).exists(), (name, source)
            elif not source.startswith(("${", "./secrets/")):
                assert source in compose["volumes"], (name, source)


def test_each_service_is_bounded_and_says_when_it_is_well() -> None:
    for name, service in deployed("compose.yaml")["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert ":" in service["image"], name
        assert "healthcheck" in service or service["restart"].startswith("on-failure"), name


def test_each_secret_is_a_file_that_git_does_not_have() -> None:
    compose = deployed("compose.yaml")
    used = set[str]()
    for service in compose["services"].values():
        used |= {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])}
        for name, value in service.get("environment", {}).items():
            assert not SECRETS.search(name) or value.startswith(("/run/secrets/", "/tokens/")), name
    assert used == compose["secrets"].keys()
    assert all(secret["file"].startswith("secrets/") for secret in compose["secrets"].values())


def test_the_server_finds_its_secrets_by_the_names_of_its_settings() -> None:
    for name in ("migrate", "server"):
        for secret in deployed("compose.yaml")["services"][name]["secrets"]:
            assert secret in Settings.model_fields


def test_the_digests_of_tokens_are_in_a_folder_that_is_mounted_and_not_a_file() -> None:
    """`desk tokens` puts a new file in the old one's place, which a mount of the file would not follow."""
    server = deployed("compose.yaml")["services"]["server"]
    assert Path(server["environment"]["TOKEN_DIGESTS_FILE"]).parent == Path("/tokens")
    assert "./secrets/tokens:/tokens:ro" in server["volumes"]


def test_a_secret_in_a_file_is_read_and_the_environment_counts_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "service_token").write_text("of-the-file\n")
    monkeypatch.delenv("SERVICE_TOKEN", raising=False)
    given: dict[str, Any] = {"_secrets_dir": tmp_path, "_env_file": None}
    assert Settings(**given).service_token.get_secret_value() == "of-the-file"
    monkeypatch.setenv("SERVICE_TOKEN", "of-the-environment")
    assert Settings(**given).service_token.get_secret_value() == "of-the-environment"


def test_each_secret_that_a_program_reads_from_a_file_is_mounted_there() -> None:
    for name, at in (("prometheus", "prometheus/prometheus.yml"), ("alertmanager", "prometheus/alertmanager.yml")):
        text = (DEPLOY / at).read_text()
        named = {str(Path("/etc/prometheus") / file) for file in re.findall(r"_file: (\S+)", text)}
        secrets = deployed("compose.yaml")["services"][name]["secrets"]
        assert named
        assert named <= {secret["target"] for secret in secrets}, name


def test_prometheus_scrapes_by_the_names_of_the_compose_file_what_it_scrapes_elsewhere() -> None:
    there, here = deployed("prometheus/prometheus.yml"), deployed("compose/prometheus.yml")
    targets = (("alerting", "alertmanagers"), ("scrape_configs",))
    found = []
    for config_ in (there, here):
        for path in targets:
            at: Any = config_
            for key in path:
                at = at[key]
            found.append(at[0]["static_configs"][0].pop("targets"))
    assert there == here
    assert found[2:] == [["alertmanager:9093"], ["server:8000"]]
    assert {"alertmanager", "server"} <= deployed("compose.yaml")["services"].keys()


# both


@pytest.mark.parametrize("where", environments())
def test_each_name_in_the_environment_of_a_server_is_one_that_is_read(where: str) -> None:
    for name, value in environments()[where].items():
        assert name in OF_THE_PLATFORM or name.lower() in Settings.model_fields, name
        assert isinstance(value, str), name


@pytest.mark.parametrize("where", environments())
def test_a_server_is_given_longer_to_stop_than_it_takes(where: str) -> None:
    given = environments()[where]
    compose, values = deployed("compose.yaml")["services"], deployed("values.yaml")
    grace = (
        values[where]["deployment"]["terminationGracePeriodSeconds"]
        if where in values
        else int(compose["server"]["stop_grace_period"].removesuffix("s"))
    )
    drain = float(given["DRAIN_SECONDS"])
    assert Settings.model_fields["drain_seconds"].default <= drain < grace
    assert float(given["BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS"]) < CLOSING_SECONDS


def test_the_schema_is_upgraded_before_a_server_starts() -> None:
    compose, values = deployed("compose.yaml")["services"], deployed("values.yaml")
    assert compose["server"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    [migrate] = values["apiServer"]["deployment"]["initContainers"]
    assert compose["migrate"]["entrypoint"] == migrate["command"] == ["desk", "db", "upgrade"]


def test_the_chart_names_no_secret_but_by_its_object() -> None:
    for where in ("apiServer", "queue"):
        names = environments()[where]
        assert not [name for name in names if SECRETS.search(name)]
        assert values_from(where) == [{"secretRef": {"name": "order-desk"}}]


def values_from(where: str) -> Any:
    """Where the chart takes more of the environment from."""
    return deployed("values.yaml")[where]["deployment"]["envFrom"]


def test_the_tests_that_the_page_names_are_there() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py")]
    there = {file.name for file in files} | {
        name for file in files for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    named = re.findall(r"`(?:[\w/]+/)?(test_\w+(?:\.py)?)`", (ROOT / "docs" / "deployment.md").read_text())
    assert len(named) > 10
    assert sorted({*named} - there) == []
