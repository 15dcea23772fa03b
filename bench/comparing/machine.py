"""The machine that a result belongs to; a figure without it says nothing."""

import os
import platform
import re


def _first(path, name):
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(name):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None


def about():
    cpu = _first("/proc/cpuinfo", "model name") or platform.machine()
    memory = _first("/proc/meminfo", "MemTotal")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.split()[0]) / 1024 / 1024) if memory else None,
        "virtual": "hypervisor" in (_first("/proc/cpuinfo", "flags") or "").split(),
        "kernel": platform.release(),
        "system": _first_of_release(),
    }


def _first_of_release():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return platform.system()


def in_words(machine):
    """For readers: of the kernel's release only the first two numbers; what follows is its builder's."""
    kernel = re.match(r"\d+(\.\d+)?", machine["kernel"])
    return (f"{machine['cpu']}, {machine['cores']} cores{' (virtual machine)' if machine['virtual'] else ''}, "
            f"{machine['memory_gib']} GiB, Linux {kernel[0] if kernel else ''}, {machine['system']}")
