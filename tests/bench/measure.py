# SPDX-License-Identifier: MIT
"""CPU time and memory of a tree of processes."""

import os
import time


def read(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def field(path, name):
    """The number behind NAME in a file of lines "name number"; 0 if gone."""
    try:
        for line in read(path).splitlines():
            words = line.replace(":", " ").split()
            if words[:1] == [name]:
                return int(words[1])
    except OSError:
        pass
    return 0


def memory(pids):
    """Octets, shared pages divided by those who share them."""
    return sum(field(f"/proc/{pid}/smaps_rollup", "Pss")
               for pid in pids) * 1024


def kernel_memory():
    """Octets that the kernel of this machine holds for objects, stacks and
    page tables: sockets are not counted for a process, nor are all for a
    cgroup."""
    return sum(field("/proc/meminfo", name)
               for name in ("Slab", "KernelStack", "PageTables")) * 1024


def threads(pids):
    return sum(field(f"/proc/{pid}/status", "Threads") for pid in pids)


class Cgroup1:
    """The cpuacct controller: counts processes that ended as well."""

    def __init__(self, name):
        self.path = f"/sys/fs/cgroup/cpuacct/{name}-{os.getpid()}"
        os.mkdir(self.path)

    def cpu(self):
        return int(read(self.path + "/cpuacct.usage")) / 1e9


class Cgroup2:
    """The unified hierarchy: likewise, without any controller."""

    def __init__(self, name):
        own = next(line.split("::", 1)[1]
                   for line in read("/proc/self/cgroup").splitlines()
                   if line.startswith("0::"))
        self.path = f"/sys/fs/cgroup{own.rstrip('/')}/{name}-{os.getpid()}"
        os.mkdir(self.path)

    def cpu(self):
        return field(self.path + "/cpu.stat", "usage_usec") / 1e6


class Tree:
    """Without cgroups: a process and its children, from /proc."""

    path = None

    def __init__(self):
        self.root = 0
        self.tick = os.sysconf("SC_CLK_TCK")

    def stat(self, pid):
        try:
            words = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        except OSError:
            return 0, 0
        return int(words[1]), sum(map(int, words[11:15])) / self.tick

    def processes(self):
        parents = {int(name): self.stat(name)[0]
                   for name in os.listdir("/proc") if name.isdigit()}
        found = [self.root]
        for pid in found:
            found += [p for p, parent in parents.items() if parent == pid]
        return found

    def cpu(self):
        return sum(self.stat(pid)[1] for pid in self.processes())


def make_accounts(name):
    for kind in (Cgroup1, Cgroup2):
        try:
            return kind(name)
        except (OSError, StopIteration):
            pass
    return Tree()


class Group:
    """The processes of one server, and all that they start."""

    def __init__(self, name):
        self.accounts = make_accounts(name)

    def enter(self):
        """In the child, before it executes a program."""
        if self.accounts.path:
            with open(self.accounts.path + "/cgroup.procs", "w",
                      encoding="ascii") as file:
                file.write("0")

    def started(self, pid):
        self.accounts.root = pid

    def processes(self):
        if self.accounts.path:
            return list(map(int, read(
                self.accounts.path + "/cgroup.procs").split()))
        return self.accounts.processes()

    def cpu(self):
        """Seconds so far."""
        return self.accounts.cpu()

    def close(self):
        """When all have ended, or shortly will."""
        if not self.accounts.path:
            return
        for _ in range(100):
            try:
                os.rmdir(self.accounts.path)
                return
            except OSError:
                time.sleep(0.1)
