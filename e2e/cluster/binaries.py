"""Builds the cluster's programs from their Go modules, once per version.

Pins stand in ``tools/*/go.mod``. Binaries land in the cache under a name that holds the version and are linked
into one folder; a build that is cut short leaves nothing that looks finished.
"""

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

    @property
    def version(self) -> str:
        """The pinned version in the module's go.mod."""
        text = (TOOLS / self.module / "go.mod").read_text()
        match = re.search(rf"{re.escape(self.pin)} (v[0-9][^\s]*)", text)
        if match is None:
            raise RuntimeError(f"tools/{self.module}/go.mod does not pin {self.pin}")
        return match[1]

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


def build_binaries() -> None:
    """Build what is missing; nothing is done, and nothing printed, when all is there."""
    for tool in GO_TOOLS:
        missing = [name for name in tool.packages if not _stored(tool, name).exists()]
        if missing:
            _need_go()
            with step(f"building {', '.join(missing)} {tool.version}"):
                _build(tool, missing)
        for name in tool.packages:
            _link(tool, name)


def pause_binary() -> Path:
    """The program of the pause image: it waits for a signal and does nothing else."""
    target = CACHE / "go" / "pause"
    if not target.exists():
        _need_go()
        with step("building pause"):
            _run_build(TOOLS / "pause", target, ".", "-s -w")
    return target


def _stored(tool: GoTool, name: str) -> Path:
    return CACHE / "go" / f"{name}-{tool.version}"


def _build(tool: GoTool, names: list[str]) -> None:
    for name in names:
        _run_build(TOOLS / tool.module, _stored(tool, name), tool.packages[name], tool.linker_flags())


def _run_build(folder: Path, target: Path, package: str, linker_flags: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    command = ["go", "build", "-ldflags", linker_flags, "-o", str(unfinished), package]
    result = subprocess.run(
        command, cwd=folder, env=os.environ | {"CGO_ENABLED": "0"}, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        unfinished.unlink(missing_ok=True)
        raise RuntimeError(f"go build {package} failed:\n{result.stderr[-4000:]}")
    unfinished.rename(target)


def _link(tool: GoTool, name: str) -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    link, target = BIN / name, _stored(tool, name)
    if not link.is_symlink() or link.resolve() != target.resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _need_go() -> None:
    if shutil.which("go") is None:
        raise RuntimeError("Go 1.21 or later is needed: it fetches the toolchain that go.mod names")
