"""The first thing that runs in the sandbox: closes a cage around itself, then runs a program.

`python -I guard.py FOLDER LEVEL LIMITS...` reads the program from its standard input; see
`bench.evals.sandbox`, which starts it. It imports nothing but the standard library, for it has no
other path. A program that came to its end leaves with the status `FINISHED`; one that raised, or
that ended itself, with another.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import traceback

FINISHED = 113
"""Not 0: a program that calls `exit()` before its tests has not passed them."""
NAMESPACES, HOOKS = "namespaces", "hooks"
_MOUNT_SETATTR = 442
"""Number of the system call, the same on all processors that Python runs on (Linux 5.12)."""
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY, _PRIVATE = 0x1, 1 << 18
_SET_KEEP_CAPABILITIES, _SET_NO_NEW_PRIVILEGES = 8, 38
_CAPABILITIES_3, _MAY_READ_ALL = 0x20080522, 1 << 2
_NOBODY = 65534
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN: tuple[str, ...] = (
    *("socket.", "subprocess.", "ctypes.", "pty.", "syslog.", "signal.pthread_kill"),
    *("os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.kill"),
)
"""Beginnings of audit events: docs.python.org/3/library/audit_events.html."""
_CHANGING: tuple[str, ...] = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod", "os.chown", "os.utime"),
)


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace")
    ]


def limit(cpu_s: int, memory: int, processes: int, file_bytes: int) -> None:
    """Hard limits of the kernel, for this process and each that it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def close_file_system(system: ctypes.CDLL, folder: str, room: int) -> None:
    """Everything is read-only but `folder`, a file system of `room` bytes in memory."""
    wanted = _MountAttributes(_READ_ONLY, 0, _PRIVATE, 0)
    size = ctypes.sizeof(wanted)
    _check(
        system.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, ctypes.byref(wanted), size)
    )
    _check(system.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={room}".encode()))


def drop_privileges(system: ctypes.CDLL) -> None:
    """Those by which we have mounted. The superuser becomes nobody: it has no limit of processes.

    Reading stays allowed, for Python may lie in a folder that only the superuser enters.
    """
    _check(system.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _check(system.prctl(_SET_KEEP_CAPABILITIES, 1, 0, 0, 0))
    if not _in_user_namespace():
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    effective, permitted = _MAY_READ_ALL, _MAY_READ_ALL
    _check(system.capset(header, (ctypes.c_uint32 * 6)(effective, permitted, 0, 0, 0, 0)))


def _in_user_namespace() -> bool:
    """Whether user 0 is an ordinary user outside."""
    with open("/proc/self/uid_map") as mapped:  # noqa: PTH123 - nothing is imported needlessly
        return mapped.read().split()[1] != "0"


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def forbid(folder: str) -> None:
    """Without name spaces: Python itself refuses sockets, processes and writing elsewhere.

    An audit hook cannot be taken away again, but native code does not ask it.
    """

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")
        if event == "open" and _writes(arguments[2]):
            _stay_inside(folder, arguments[0])
        if event in _CHANGING:
            for path in arguments[:2]:
                _stay_inside(folder, path)

    sys.addaudithook(hook)


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & _WRITING)


def _stay_inside(folder: str, path: object) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return
    name = os.path.realpath(os.fsdecode(path))
    if name != "/dev/null" and os.path.commonpath([folder, name]) != folder:
        raise PermissionError(f"{name} lies outside of the sandbox")


def main(folder: str, level: str, *limits: str) -> None:
    """Read the program, close the cage, run it."""
    program = sys.stdin.read()
    cpu_s, memory, processes, file_bytes, room = map(int, limits)
    limit(cpu_s, memory, processes, file_bytes)
    if level == NAMESPACES:
        system = ctypes.CDLL(None, use_errno=True)
        close_file_system(system, folder, room)
        drop_privileges(system)
    os.chdir(folder)
    code = compile(program, "program.py", "exec")
    if level == HOOKS:
        forbid(os.path.realpath(folder))
    exec(code, {"__name__": "__main__"})


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException as error:
        traceback.print_exception(error, limit=-1)
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(FINISHED)
