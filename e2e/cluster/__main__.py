"""``python -m e2e.cluster``: start, stop and use the local cluster by hand."""

import argparse
import subprocess
import sys

from e2e.cluster import Cluster, control_plane, gpus, kwok, real_node
from e2e.cluster.binaries import build_binaries
from e2e.progress import step

DAEMONS = (
    control_plane.ETCD,
    control_plane.APISERVER,
    control_plane.CONTROLLER_MANAGER,
    control_plane.SCHEDULER,
    kwok.KWOK,
    real_node.CONTAINERD,
    real_node.KUBELET,
    real_node.KUBE_PROXY,
    gpus.DEVICE_PLUGIN,
)


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs and nothing else")
    up = commands.add_parser("up", help="start the cluster, or what is missing of it")
    up.add_argument("--mode", choices=["control-plane", "full"], default="full", help="full has a real node (default)")
    commands.add_parser("down", help="stop the cluster; programs and images stay in the cache")
    commands.add_parser("clean", help="the same, also after a crash")
    commands.add_parser("status", help="say which programs run")
    commands.add_parser("env", help='print exports for a shell: eval "$(python -m e2e.cluster env)"')
    chosen = parser.parse_args()
    try:
        return _run(chosen)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"e2e.cluster: {error}", file=sys.stderr)
        return 1


def _run(chosen: argparse.Namespace) -> int:
    if chosen.command == "build":
        build_binaries()
    elif chosen.command == "up":
        Cluster.ensure(chosen.mode)
        print('ready: eval "$(python -m e2e.cluster env)" && kubectl get nodes')
    elif chosen.command in {"down", "clean"}:
        with step("stopping the cluster"):
            Cluster.stop()
    elif chosen.command == "status":
        for daemon in DAEMONS:
            pid = daemon.running()
            print(f"{daemon.name:26} {'pid ' + str(pid) if pid else 'stopped':10} {daemon.log}")
    else:
        cluster = Cluster()
        print(f"export KUBECONFIG={cluster.kubeconfig}\nexport PATH={cluster.bin_dir}:$PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
