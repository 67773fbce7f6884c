"""One certificate authority, and what it signs: the API server, the kubelet, service account tokens."""

import secrets
import subprocess
from pathlib import Path

from e2e.cluster.paths import NODE_ADDRESS, NODE_NAME, PKI

ADMIN_TOKEN = PKI / "admin-token"
TOKENS = PKI / "tokens.csv"
CA = PKI / "ca.crt"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
"""Elliptic curves: a key takes milliseconds, where RSA can take a second."""


def make_certificates() -> None:
    """Make keys, certificates and the administrator's token unless they are there."""
    if TOKENS.exists():
        return
    PKI.mkdir(parents=True, exist_ok=True)
    PKI.chmod(0o700)
    _openssl("req", "-x509", *NEW_KEY, "-days", "365", "-subj", "/CN=gemma-e2e",
             "-keyout", "ca.key", "-out", "ca.crt")  # fmt: skip
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "service-account.key")
    services = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:10.96.0.1"
    names = f"{services},DNS:localhost,IP:127.0.0.1,IP:{NODE_ADDRESS}"
    _sign("apiserver", "/CN=kube-apiserver", names)
    _sign("kubelet", f"/O=system:nodes/CN=system:node:{NODE_NAME}", f"DNS:{NODE_NAME},IP:{NODE_ADDRESS}")
    _sign("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "DNS:localhost")
    token = secrets.token_urlsafe(32)
    ADMIN_TOKEN.write_text(token)
    ADMIN_TOKEN.chmod(0o600)
    TOKENS.write_text(f"{token},admin,admin,system:masters\n")
    TOKENS.chmod(0o600)


def _sign(name: str, subject: str, alternative_names: str) -> None:
    extension = PKI / f"{name}.ext"
    extension.write_text(f"subjectAltName={alternative_names}\nextendedKeyUsage=serverAuth,clientAuth\n")
    _openssl("req", *NEW_KEY, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "365", "-extfile", extension.name, "-out", f"{name}.crt")  # fmt: skip


def _openssl(*arguments: str) -> None:
    result = subprocess.run(["openssl", *arguments], cwd=PKI, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)} failed: {result.stderr}")


def pem(name: str) -> Path:
    """A file of the authority by name."""
    return PKI / name
