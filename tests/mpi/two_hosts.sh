#!/usr/bin/env bash
# two_hosts.sh MPIRUN COMMAND...: runs a command on 4 processes of two hosts, 2 on each.
# The hosts are network namespaces of this machine joined by a virtual cable; each has its own name,
# address and shared memory, so MPI takes them for two machines and crosses TCP between them. They
# share CPUs, disk and installation. Needs root and iproute2.
set -euo pipefail

inside() { # inside HOST COMMAND-LINE
    exec ip netns exec "$1" unshare --uts --mount bash -c \
        "hostname $1 && mount -t tmpfs tmpfs /dev/shm && $2"
}

if [ "$1" = --agent ]; then # what mpirun calls in the place of ssh: [options] host command...
    shift
    while [[ "$1" == -* ]]; do shift; done
    host="$1"
    shift
    inside "$host" "$*"
fi

a="gfa$$" b="gfb$$" hostfile="$(mktemp)"
trap 'rm -f $hostfile; ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null' EXIT
printf '%s slots=2\n' "$a" "$b" >"$hostfile"
for host in "$a" "$b"; do
    ip netns add "$host"
    ip -n "$host" link set lo up
done
ip link add "$a" netns "$a" type veth peer name "$b" netns "$b"
for host in "$a" "$b"; do
    ip -n "$host" addr add "10.77.0.$([ "$host" = "$a" ] && echo 1 || echo 2)/24" dev "$host"
    ip -n "$host" link set "$host" up
done

mpirun=("$1" --prtemca plm_ssh_agent "$(realpath "$0") --agent" --prtemca plm_ssh_no_tree_spawn 1
    --hostfile "$hostfile" -n 4 --mca btl_tcp_if_include 10.77.0.0/24 --mca pml ob1
    --mca btl "tcp,self,sm" "${@:2}")
(inside "$a" "$(printf '%q ' "${mpirun[@]}")")
