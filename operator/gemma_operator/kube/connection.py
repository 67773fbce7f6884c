"""Where the API server is and how to prove who we are.

In a pod: the service account. Elsewhere: ``KUBECONFIG`` or ``~/.kube/config``. Both the client and the event pump
are made from the same settings, so that they can't speak to two clusters.
"""

import os
from dataclasses import dataclass

from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a second HTTP client needs to reach the same server; the token is the current one."""

    server: str
    ca_path: str | None
    insecure: bool
    token: str | None = None
    certificate_path: str | None = None
    private_key_path: str | None = None


async def load_configuration(kubeconfig: str | None = None) -> Configuration:
    """Settings from the pod's service account, else from ``kubeconfig`` or the usual places.

    Raises ``kubernetes.aio.config.ConfigException`` with the reason if there are none.
    """
    configuration = Configuration()
    if kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST") and "KUBECONFIG" not in os.environ:
        kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        load = kube_config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        await load
    configuration.connection_pool_maxsize = 32
    configuration.retries = None
    return configuration


async def credentials_of(configuration: Configuration) -> Credentials:
    """The current credentials; a service-account token is read again when it is older than a minute."""
    header = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
    return Credentials(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        token=header.split(" ", 1)[-1].strip() if header else None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
