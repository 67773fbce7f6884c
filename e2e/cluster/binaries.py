"""Builds the cluster's programs from their Go modules, once per version.

Pins stand in ``tools/*/go.mod``. Binaries land in the cache under a name that holds the version and are linked
into one folder; a build that is cut short leaves nothing that looks finished.
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.paths import BIN, CACHE
from e2e.progress import step

TOOLS = Path(__file__).parent / "tools"
KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy")


@dataclass(frozen=True)
class GoTool:
    """One Go module of ``tools`` and the packages to build from it, by binary name."""

    module: str
    pin: str
    packages: dict[str, str]
    tags: str = ""

    @property
    def version(self) -> str:
        """The pinned version in the module's go.mod."""
        text = (TOOLS / self.module / "go.mod").read_text()
        match = re.search(rf"{re.escape(self.pin)} (v[0-9][^\s]*)", text)
        if match is None:
            raise RuntimeError(f"tools/{self.module}/go.mod does not pin {self.pin}")
        return match[1]

    @property
    def build(self) -> str:
        """Names a stored binary: its version, and for helm also the Kubernetes that its linker flags name."""
        return f"{self.version}-for-{GO_TOOLS[0].version}" if self.module == "helm" else self.version

    def linker_flags(self) -> str:
        """Stripped. Kubernetes learns its version from the linker; so does helm, which templates for it."""
        major, minor = GO_TOOLS[0].version.removeprefix("v").split(".")[:2]
        if self.module == "kubernetes":
            base = "k8s.io/component-base/version"
            return f"-s -w -X {base}.gitVersion={self.version} -X {base}.gitMajor={major} -X {base}.gitMinor={minor}"
        if self.module == "helm":
            rooms = ("helm.sh/helm/v3/pkg/chartutil", "helm.sh/helm/v3/pkg/lint/rules")
            told = " ".join(f"-X {room}.k8sVersionMajor={major} -X {room}.k8sVersionMinor={minor}" for room in rooms)
            return f"-s -w {told}"
        return "-s -w"


GO_TOOLS = (
    GoTool("kubernetes", "k8s.io/kubernetes", {name: f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES}),
    GoTool("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    GoTool("kwok", "sigs.k8s.io/kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    GoTool("helm", "helm.sh/helm/v3", {"helm": "helm.sh/helm/v3/cmd/helm"}),
)
"""What the local cluster needs, and helm."""

MONITORING_TOOLS = (
    GoTool(
        "prometheus",
        "github.com/prometheus/prometheus",
        {name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("promtool", "prometheus")},
        # Targets are written down: without the clouds' own discoveries a third is to be compiled.
        tags="remove_all_sd",
    ),
    GoTool("jsonnet", "github.com/google/go-jsonnet", {"jsonnet": "github.com/google/go-jsonnet/cmd/jsonnet"}),
)
"""What tests of rules and dashboards need, and nothing else: built when they ask."""


OWN_PROGRAMS = {
    "pause": ("pause", "."),
    "gpu-device-plugin": ("kubernetes", "./gpu-device-plugin"),
    "monitors": ("monitors", "."),
}
"""Small programs of this repository: the module below ``tools`` and the package in it, by binary name."""


def build_binaries(tools: tuple[GoTool, ...] = GO_TOOLS) -> None:
    """Build what is missing of these tools; nothing is done, and nothing printed, when all is there.

    Raises ``RuntimeError`` with the compiler's words.
    """
    for tool in tools:
        for name, package in tool.packages.items():
            stored = CACHE / "go" / f"{name}-{tool.build}"
            if not stored.exists():
                with step(f"building {name} {tool.version}"):
                    _build(TOOLS / tool.module, stored, package, tool.linker_flags(), tool.tags)
            _link(name, stored)


def own_program(name: str) -> Path:
    """A program of ``OWN_PROGRAMS``, built anew whenever its source has changed."""
    module, package = OWN_PROGRAMS[name]
    source = TOOLS / module / package / "main.go"
    stored = CACHE / "go" / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not stored.exists():
        with step(f"building {name}"):
            _build(TOOLS / module, stored, package, "-s -w")
    _link(name, stored)
    return BIN / name


def _build(folder: Path, target: Path, package: str, linker_flags: str, tags: str = "") -> None:
    """A build that is cut short leaves a ``.part`` and never a target."""
    if shutil.which("go") is None:
        raise RuntimeError("Go 1.21 or later is needed on PATH: it fetches the toolchain that go.mod names")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    # Without -buildvcs=false a checkout that another user owns ends the build: git refuses to tell its state.
    command = [
        "go",
        "build",
        "-buildvcs=false",
        "-tags",
        tags,
        "-ldflags",
        linker_flags,
        "-o",
        str(unfinished),
        package,
    ]
    environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        unfinished.unlink(missing_ok=True)
        raise RuntimeError(f"go build {package} failed:\n{result.stderr[-4000:]}")
    unfinished.rename(target)


def _link(name: str, stored: Path) -> None:
    """Put the stored binary on the cluster's PATH, in one step: somebody may be about to run it."""
    BIN.mkdir(parents=True, exist_ok=True)
    link = BIN / name
    if link.resolve() != stored.resolve():
        fresh = BIN / f".{name}.{os.getpid()}"
        fresh.symlink_to(stored)
        fresh.rename(link)
