"""What `helm test` asks of a fresh installation. Runs in the operator's image; standard library only.

Ends with a traceback, and so with a failed test, at the first question that is not answered as it should be.
"""

# It asks two addresses of its own cluster, and what it prints is the test's log.
# ruff: noqa: S310, T201

import json
import os
import ssl
import urllib.request
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
GROUP = f"{API}/apis/gemma-operator.io/v1alpha1"
SAMPLE = {
    "apiVersion": "gemma-operator.io/v1alpha1",
    "kind": "GemmaDeployment",
    "metadata": {"name": "helm-test"},
    "spec": {"contextLength": "8K"},
}


def ask(url, body=None):
    """The answer as text; urllib raises for any status but success."""
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if url.startswith(API) else None
    head = {"Content-Type": "application/json"}
    if trust:
        head["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text()}"
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data=data, headers=head)
    with urllib.request.urlopen(request, timeout=20, context=trust) as answer:
        return answer.read().decode()


for page in ("healthz", "readyz", "metrics"):
    print(f"the operator answers /{page}:", ask(f"http://{os.environ['OPERATOR']}/{page}").splitlines()[0], flush=True)

kinds = [resource["kind"] for resource in json.loads(ask(GROUP))["resources"]]
print("the API server serves", ", ".join(sorted(set(kinds))), flush=True)

made = json.loads(ask(f"{GROUP}/namespaces/{os.environ['NAMESPACE']}/gemmadeployments?dryRun=All", SAMPLE))
print("a GemmaDeployment would be accepted; it asks for", made["spec"]["contextLength"], "tokens", flush=True)
