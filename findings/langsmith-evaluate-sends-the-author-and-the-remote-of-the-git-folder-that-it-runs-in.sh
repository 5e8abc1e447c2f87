#!/usr/bin/env bash
# langsmith 0.15.1
#
# Behaviour: `Client.evaluate` creates its experiment with metadata "git": the name and e-mail address of the last
#   commit's author, the remote's address, the branch and more, of whatever git folder the process runs in.
# Surprise: One evaluates a function on examples; nothing in the call, its options or its result speaks of git.
# Seen:
#   author:  Ada Park, ada@example.com
#   remote:  https://git.example/shop.git
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langsmith==0.15.1 requests==2.34.2
git init -q . && git remote add origin https://git.example/shop.git
git -c user.name="Ada Park" -c user.email=ada@example.com commit -q --allow-empty -m "A shop"
venv/bin/python - <<'PY'
import json
import os
import uuid
from datetime import datetime, timezone

import requests

os.environ["LANGSMITH_API_KEY"] = "k"
from langsmith import Client  # noqa: E402
from langsmith.schemas import Example  # noqa: E402

DATASET, NOW = str(uuid.uuid4()), datetime.now(timezone.utc).isoformat()
created = []


class Wire(requests.Session):
    def request(self, method, url, **options):
        answer = requests.Response()
        answer.status_code = 200
        body = {"id": DATASET, "name": "prices", "created_at": NOW, "modified_at": NOW, "tenant_id": DATASET,
                "start_time": NOW, "reference_dataset_id": DATASET, "session_url": "http://traces.test"}
        if method == "POST" and url.endswith("/sessions"):
            created.append(json.loads(options["data"]))
            body |= {"id": created[-1]["id"], "name": created[-1]["name"]}
        answer._content = json.dumps(body).encode()
        return answer


client = Client(api_url="http://traces.test", session=Wire(), auto_batch_tracing=False, info={})
example = Example(id=uuid.uuid4(), inputs={"sku": "A"}, outputs={"price": 1}, dataset_id=DATASET, created_at=NOW)
client.evaluate(lambda inputs: {"price": 1}, data=[example], experiment_prefix="prices", max_concurrency=0)

git = created[0]["extra"]["metadata"].get("git") or {}
print("author: ", f"{git.get('author_name')}, {git.get('author_email')}")
print("remote: ", git.get("remote_url"))
if git.get("author_email") != "ada@example.com":
    raise SystemExit("changed: who wrote the last commit stays here")
PY
