#!/usr/bin/env bash
# stripe 16.1.0
#
# Behaviour: stripe.Customer.create retries a 503 twice. The same call on a StripeClient, the newer way, makes one
#   attempt, unless max_network_retries is given; stripe.max_network_retries does not count for it.
# Surprise: It is the same package with the same setting's name; code that moves to StripeClient loses its retries
#   without a sign.
# Seen:
#   stripe.max_network_retries: 2
#   calls on a 503: {'module': 3, 'client': 1}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check stripe==16.1.0
venv/bin/python - <<'PY'
import stripe


class Wire(stripe.HTTPClient):
    """Answers each request with one status, and counts them."""

    name = "wire"

    def __init__(self, status):
        super().__init__()
        self.status, self.calls = status, 0

    def request(self, method, url, headers, post_data=None, **more):
        self.calls += 1
        return '{"error": {"message": "no", "type": "api_error"}}', self.status, {}

    def close(self):
        pass

    def _sleep_time_seconds(self, *args, **more):
        return 0


def calls(use, status):
    wire = Wire(status)
    try:
        use(wire)
    except stripe.StripeError:
        return wire.calls


def module(wire):
    stripe.default_http_client, stripe.api_key = wire, "sk_test_x"
    stripe.Customer.create(name="Ann")


def client(wire):
    stripe.StripeClient("sk_test_x", http_client=wire).v1.customers.create({"name": "Ann"})


print("stripe.max_network_retries:", stripe.max_network_retries)
made = {use.__name__: calls(use, 503) for use in (module, client)}
print("calls on a 503:", made)
if made != {"module": 3, "client": 1}:
    raise SystemExit("changed: both retry alike")
PY
