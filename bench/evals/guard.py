"""The first thing that runs in the sandbox: closes a cage around itself, then runs a program.

`python -I guard.py FOLDER LEVEL REPORT LIMITS...` reads a nonce and the program from its standard
input; see `bench.evals.sandbox`, which starts it. It imports nothing but the standard library, for
it has no other path. When the program has come to its end, the nonce is written to the file
descriptor REPORT: no status with which a program can end itself means that it has passed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
import threading
import traceback
from types import ModuleType

NAMESPACES = "namespaces"
_ENDED = "caret.program_ended"
_HIDDEN = ("gc.get_", "ctypes.", "sys.settrace", "sys.setprofile", "sys.addaudithook")
"""Beginnings of audit events by which a program could read what its guard knows, or skip tests."""
_MOUNT_SETATTR = 442
"""Number of the system call, the same on all processors that Python runs on (Linux 5.12)."""
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY, _PRIVATE = 0x1, 1 << 18
_SET_KEEP_CAPABILITIES, _SET_NO_NEW_PRIVILEGES = 8, 38
_CAPABILITIES_3, _MAY_READ_ALL = 0x20080522, 1 << 2
_NOBODY = 65534

_CREATE_RULES, _ADD_RULE, _RESTRICT = 444, 445, 446
"""System calls of Landlock, the same on all processors."""
_TRUNCATING = 3
"""The version of Landlock that knows of truncation (Linux 6.2)."""
_WRITING = 0b111_1111_1111_0010
"""All kinds of access to files that version 3 knows, but executing and reading."""
_WRITE_FILE, _READ_FILE = 1 << 1, 1 << 2

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_ANY, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""Answers of a filter; refused calls fail with EPERM."""
_NUMBER, _PROCESSOR, _FIRST = 0, 4, 16
"""Offsets into what a filter is shown: the call, the processor, the low half of an argument."""
_NEW_THREAD = 0x10000
_REFUSED_EVERYWHERE = (424, 425, 426, 427, 434, 438, 440, 452, 463, 466)
"""pidfd_send_signal, io_uring_*, pidfd_open, pidfd_getfd, process_madvise, fchmodat2, *xattrat."""
_CLONE_3 = 435
_PROCESSORS = {
    # its number for filters; clone; tgkill; prlimit64; and what is refused: sockets, programs,
    # signals, tracing, queues, keys, priorities, modes, owners, times and attributes of files
    "x86_64": (
        *(0xC000003E, 56, 234, 302),
        *(29, 41, 53, 57, 58, 59, 62, 64, 68, 90, 91, 92, 93, 94, 101, 129, 132, 133, 141, 142),
        *(144, 188, 189, 190, 197, 198, 199, 200, 203, 235, 240, 248, 249, 250, 251, 256, 259),
        *(260, 261, 268, 272, 279, 280, 297, 298, 304, 308, 310, 311, 312, 314, 321, 322, 323),
    ),
    "aarch64": (
        *(0xC00000B7, 220, 131, 261),
        *(5, 6, 7, 14, 15, 16, 30, 33, 52, 53, 54, 55, 88, 97, 117, 118, 119, 122, 129, 130, 138),
        *(140, 180, 186, 190, 194, 198, 199, 217, 218, 219, 221, 238, 239, 240, 241, 265, 268),
        *(270, 271, 272, 274, 280, 281, 282),
    ),
}


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace")
    ]


def limit(cpu_s: int, memory: int, file_bytes: int) -> None:
    """Hard limits of the kernel, for this process and each that it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def close_file_system(system: ctypes.CDLL, folder: str, room: int) -> None:
    """Make everything read-only but `folder`, a file system of `room` bytes in memory.

    Nothing of /proc is left: a process finds its own memory there, and with it the nonce.
    """
    wanted = _MountAttributes(_READ_ONLY, 0, _PRIVATE, 0)
    size = ctypes.sizeof(wanted)
    _check(
        system.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, ctypes.byref(wanted), size)
    )
    _check(system.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={room}".encode()))
    _check(system.mount(b"tmpfs", b"/proc", b"tmpfs", _READ_ONLY, b"size=0"))


def drop_privileges(system: ctypes.CDLL, *, as_nobody: bool) -> None:
    """Those by which we have mounted. The superuser becomes nobody: it has no limit of processes.

    Reading stays allowed, for Python may lie in a folder that only the superuser enters.
    """
    _check(system.prctl(_SET_KEEP_CAPABILITIES, 1, 0, 0, 0))
    if as_nobody:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    keep_capabilities(system, _MAY_READ_ALL)


def keep_capabilities(system: ctypes.CDLL, kept: int) -> None:
    """Drop all capabilities but these, and never gain one again."""
    _check(system.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    _check(system.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)))


def _in_user_namespace() -> bool:
    """Whether user 0 is an ordinary user outside."""
    with open("/proc/self/uid_map") as mapped:  # noqa: PTH123 - nothing is imported needlessly
        return mapped.read().split()[1] != "0"


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def close_files(system: ctypes.CDLL, folder: str) -> None:
    """Landlock: nothing can be written, made or removed but in `folder`; /dev/null takes all.

    Files of /proc cannot be read either: a process finds its own memory there, with the nonce.

    Raises:
        OSError: This kernel cannot do it.
    """
    version = system.syscall(_CREATE_RULES, None, 0, 1)
    if version < _TRUNCATING:
        raise OSError("this kernel has no Landlock that knows of truncation (Linux 6.2 has)")
    rules = system.syscall(_CREATE_RULES, struct.pack("Q", _WRITING | _READ_FILE), 8, 0)
    _check(rules < 0)
    read = [entry.path for entry in os.scandir("/") if entry.name != "proc" and entry.is_dir()]
    allowances = [
        (folder, _WRITING),
        ("/dev/null", _WRITE_FILE),
        *((at, _READ_FILE) for at in read),
    ]
    for path, allowed in allowances:
        place = os.open(path, os.O_PATH)
        _check(system.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", allowed, place), 0))
        os.close(place)
    _check(system.syscall(_RESTRICT, rules, 0))
    os.close(rules)


def refuse_calls(system: ctypes.CDLL) -> None:
    """Seccomp: no process, program or socket; no signal to others; nothing done to a file's owner.

    Raises:
        OSError: This kernel or processor is not known.
    """
    if platform.machine() not in _PROCESSORS:
        raise OSError(f"the system calls of {platform.machine()} are not known")
    processor, clone, signal_thread, limits, *refused = _PROCESSORS[platform.machine()]
    program = [
        (_LOAD, 0, 0, _PROCESSOR),
        (_JUMP_IF_EQUAL, 1, 0, processor),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_ANY, 0, 1, 0x40000000),  # another way to number the calls
        (_RETURN, 0, 0, _KILL),
    ]
    for number in (*refused, *_REFUSED_EVERYWHERE):
        program += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    # The C library goes on with clone, whose flags can be looked at.
    program += [(_JUMP_IF_EQUAL, 0, 1, _CLONE_3), (_RETURN, 0, 0, 0x00050000 | errno.ENOSYS)]
    program += _unless(clone, (_JUMP_IF_ANY, 1, 0, _NEW_THREAD))
    program += _unless(signal_thread, (_JUMP_IF_EQUAL, 1, 0, os.getpid()))
    program += _unless(limits, (_JUMP_IF_EQUAL, 1, 0, 0))
    program += [(_RETURN, 0, 0, _ALLOW)]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    whole = struct.pack("HxxxxxxP", len(program), ctypes.addressof(packed))
    _check(system.prctl(_SET_SECCOMP, _FILTER, whole, 0, 0))


def _unless(call: int, test: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Refuse a call unless its first argument passes a test, which then jumps over the refusal."""
    return [
        (_JUMP_IF_EQUAL, 0, 4, call),
        (_LOAD, 0, 0, _FIRST),
        test,
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]


def watch(nonce: bytes, report: int) -> None:
    """Report the nonce when the last line of this very file says that the program has ended.

    A program shares this interpreter, so it can call whatever it finds in it, and replace it. It
    cannot take an audit hook away, whose names are all its own, nor be the outermost frame.
    """
    ours, main_thread, process = sys._getframe(2).f_code, threading.get_ident(), os.getpid()
    frame, thread, own, write = sys._getframe, threading.get_ident, os.getpid, os.write
    ended, hidden, refusal = _ENDED, _HIDDEN, PermissionError

    def hook(event: str, _: tuple[object, ...]) -> None:
        if event.startswith(hidden):
            raise refusal(f"{event} is not allowed here")
        if event == ended and thread() == main_thread and own() == process:
            caller = frame(1)
            if caller.f_code is ours and caller.f_back is None:
                write(report, nonce)

    sys.addaudithook(hook)


def main(folder: str, level: str, report: str, *limits: str) -> None:
    """Read the program, close the cage, run it."""
    with open(0, "rb", closefd=False) as given:
        nonce, _, program = given.read().partition(b"\n")
    cpu_s, memory, processes, file_bytes, room = map(int, limits)
    limit(cpu_s, memory, file_bytes)
    system = ctypes.CDLL(None, use_errno=True)
    if level == NAMESPACES:  # elsewhere the user's other processes would count
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        ordinary = _in_user_namespace()
        close_file_system(system, folder, room)
        drop_privileges(system, as_nobody=not ordinary)
    os.chdir(folder)
    code = compile(program, "program.py", "exec")
    module = sys.modules["__main__"] = ModuleType("__main__")
    if level != NAMESPACES:
        keep_capabilities(system, 0)
        close_files(system, folder)
        refuse_calls(system)
    watch(nonce, int(report))
    del nonce, given, system  # the program can look into this frame
    exec(code, module.__dict__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException as error:
        traceback.print_exception(error, limit=-1)
        sys.stderr.flush()
        os._exit(1)
    else:
        sys.stdout.flush()
        sys.audit(_ENDED)
        os._exit(0)
