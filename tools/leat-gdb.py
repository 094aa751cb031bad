"""Goroutines in gdb, in a live process and in a core file.

    (gdb) source /usr/local/share/leat/leat-gdb.py
    (gdb) leat goroutines              a table of all goroutines
    (gdb) leat bt 7                    the backtrace of goroutine 7
    (gdb) leat goroutine 7 COMMAND     any command with the registers of goroutine 7, such as: up, info locals
    (gdb) leat scopes                  the tree of scopes
    (gdb) leat core FILE               a core file of a live process, with the goroutines' stacks

What lies where is read from a table in the library, leat_i_layout, so no debug information of leat is needed. It is not found in a
statically linked program that was stripped. Names of functions and variables need debug information of the program, as ever.

generate-core-file and gcore stop at the guard below each stack, and leave out all that follows; `leat core` puts the stacks in afterwards.
A core file that the kernel writes is complete.

A parked goroutine has its registers on its stack, where leat_i_switch put them. Registers of a core file cannot be set, so an unwinder
makes gdb believe that the newest frame of the selected thread was called by the goroutine: frame 0 is that thread's, 1 and up are the
goroutine's. `leat bt` counts them from 0, as if nothing else were there; for `leat goroutine 7 frame N` add one.
"""
import bisect
import os
import re
import struct

import gdb
import gdb.unwinder

# What leat_i_switch saves, from the stack pointer up, and the size of it all (src/runtime/switch.h).
SAVED = {
    "x86": (("r15", "r14", "r13", "r12", "rbx", "rbp", "rip"), 56, "rsp", "rip"),
    "aarch64": (("x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30"), 160, "sp", "pc"),
}


class Failure(gdb.GdbError):
    pass


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def number(address, size=8, signed=False):
    return int.from_bytes(memory(address, size), "little", signed=signed)


def text(address, limit=256):
    """A C string; what cannot be read is "?"."""
    if not address:
        return ""
    found = b""
    try:
        while len(found) < limit and b"\0" not in found:
            found += memory(address + len(found), 16)
    except gdb.MemoryError:
        pass
    return found.split(b"\0")[0].decode(errors="replace") or "?"


class Layout(dict):
    """What leat_i_layout says: offsets, sizes and addresses, by name."""

    def __init__(self):
        super().__init__()
        try:
            start = int(gdb.parse_and_eval("(unsigned long)&leat_i_layout"))
        except gdb.error:
            raise Failure("leat: there is no leat_i_layout: leat is not in this program, or it is static and stripped, or not loaded yet")
        try:
            self.read(start)
        except gdb.MemoryError:
            raise Failure("leat: the table leat_i_layout cannot be read; has the program been started?")
        if self["version"] != 1:
            raise Failure("leat: this script is not of the same version as the library")

    def read(self, at):
        while name := number(at):
            value = number(at + 8)
            if text(name) == "more":
                self.read(value)
            else:
                self[text(name)] = value
            at += 16


class Record:
    """A struct of the library at an address: record.member is a number read from it."""

    SIZES = {"kind": 1, "reason": 1, "wait": 4, "status": 4, "n_live": 4, "credit": 4, "shield": 1, "flags": 4, "fresh": 4, "thread_id": 4}
    SIGNED = ("status", "since", "thread_id")

    def __init__(self, layout, kind, address):
        self.layout, self.struct, self.address = layout, kind, address

    def __getattr__(self, member):
        at = self.address + self.layout[f"{self.struct}.{member}"]
        return number(at, self.SIZES.get(member, 8), member in self.SIGNED)


class Runtime:
    def __init__(self):
        self.layout = Layout()

    def record(self, kind, address):
        return Record(self.layout, kind, address)

    def workers(self):
        at = number(self.layout["all_workers"])
        while at:
            worker = self.record("worker", at)
            yield worker
            at = worker.all_next

    def foreign(self):
        main = number(self.layout["main_goroutine"])
        if main:
            yield self.record("goroutine", main)
        at = number(self.layout["foreign_list"])
        while at:
            thread = self.record("goroutine", at)
            yield thread
            at = thread.foreign_next

    def on_stacks(self):
        """The goroutines in the slabs: see descriptor() in src/runtime/stack.c."""
        here = self.layout
        room = (here["goroutine.size"] + 63) & ~63
        for k in range(number(here["n_slabs"], 4)):
            slab = self.record("slab", number(here["slabs"] + 8 * k))
            if not slab.address:
                continue
            base, stride, fresh = slab.base, slab.stride, slab.fresh
            slots = memory(slab.address + here["slab.slots"], here["slot.size"] * fresh)
            for i in range(fresh):
                if slots[i * here["slot.size"] + here["slot.live"]]:
                    end = base + stride * (i + 1) - i % here["stack.staggers"] * here["stack.stagger"]
                    yield self.record("goroutine", end - room)

    def goroutines(self):
        yield from self.foreign()
        yield from self.on_stacks()

    def find(self, wanted):
        for g in self.goroutines():
            if g.id == wanted:
                return g
        raise Failure(f"leat: there is no goroutine {wanted}")

    def worker_of(self, g):
        for worker in self.workers():
            if worker.current == g.address:
                return worker
        return None

    def waits(self, g):
        return g.wait & self.layout["state.waiting"] != 0

    def is_foreign(self, g):
        return g.kind == self.layout["kind.foreign"]

    def describe(self, g):
        if not self.waits(g):
            worker = self.worker_of(g)
            if worker:
                return f"running on thread {worker.thread_id}"
            return "outside of leat" if self.is_foreign(g) else "runnable"
        what = text(number(self.layout["wait.texts"] + 8 * g.reason))
        target = g.waits_for
        if g.reason in (self.layout["wait.read"], self.layout["wait.write"]):
            what += f" {target}"
        elif target:
            what += f" {target:#x}"
        if target and g.reason in (self.layout["wait.send"], self.layout["wait.recv"]):
            what += self.describe_channel(self.record("chan", target))
        elapsed = number(self.layout["clock"], 8, True) - g.since
        return what + f", for {max(elapsed, 0) / 1e9:.2f} s"

    def describe_channel(self, chan):
        try:
            state = ", stopped" if chan.flags & self.layout["chan.stopped"] else ", closed" if chan.flags & self.layout["chan.closed"] else ""
            return f" (made at {text(chan.birthplace)}, {chan.n} of {chan.capacity}{state})"
        except gdb.MemoryError:
            return ""

    def name(self, g):
        return "a thread that is not leat's" if self.is_foreign(g) else text(g.name) or "?"


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


class Switched(gdb.unwinder.Unwinder):
    """While it is active, the newest frame of the selected thread has the goroutine as its caller."""

    def __init__(self, g):
        super().__init__("leat goroutine")
        architecture = gdb.newest_frame().architecture().name()
        self.names, size, self.sp_name, self.pc_name = SAVED["aarch64" if architecture.startswith("aarch64") else "x86"]
        sp = g.sp
        if not g.stack_low <= sp <= g.stack_high - size:
            raise Failure("leat: it has no registers saved")
        self.saved = {name: number(sp + 8 * i) for i, name in enumerate(self.names)}
        self.saved[self.sp_name] = sp + size
        self.saved[self.pc_name] = self.saved[self.names[-1]]
        self.inner = sp - 4096  # whatever lies below it
        newest = gdb.newest_frame()
        self.newest = {name: int(newest.read_register(name)) & (1 << 64) - 1 for name in (self.sp_name, self.pc_name)}

    def __call__(self, frame):
        values = {name: frame.read_register(name) for name in self.newest}
        if any(int(values[name]) & (1 << 64) - 1 != self.newest[name] for name in self.newest):
            return None
        info = frame.create_unwind_info(FrameId(self.inner, int(values[self.pc_name])))
        for name, value in self.saved.items():
            kind = frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(gdb.lookup_type("unsigned long")).cast(kind))
        return info

    def __enter__(self):
        gdb.unwinder.register_unwinder(None, self, True)
        gdb.invalidate_cached_frames()
        older = gdb.newest_frame().older()
        if older is None:
            self.__exit__()
            raise Failure("leat: gdb does not follow its stack")
        older.select()
        return self

    def __exit__(self, *unused):
        gdb.frame_unwinders.remove(self)
        gdb.invalidate_cached_frames()
        gdb.newest_frame().select()


def with_goroutine(wanted, command, to_string=False):
    """Runs the command with the goroutine's registers; for one that runs, on its thread."""
    runtime = Runtime()
    g = runtime.find(wanted)
    before = gdb.selected_thread()
    worker = None if runtime.waits(g) else runtime.worker_of(g)
    if worker:
        for thread in gdb.selected_inferior().threads():
            if thread.ptid[1] == worker.thread_id:
                thread.switch()
                result = gdb.execute(command, False, to_string)
                before.switch()
                return result, False
        raise Failure(f"leat: goroutine {wanted} runs, and gdb knows no thread {worker.thread_id}")
    if runtime.is_foreign(g) and not runtime.waits(g):
        raise Failure(f"leat: goroutine {wanted} is a thread that is not in leat: see `info threads`")
    with Switched(g):
        return gdb.execute(command, False, to_string), True


class Leat(gdb.Command):
    """Goroutines of a program that uses leat: leat goroutines, leat bt ID, leat goroutine ID COMMAND, leat scopes."""

    def __init__(self):
        super().__init__("leat", gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)


class Goroutines(gdb.Command):
    """A table of all goroutines: number, name, what it does, birthplace."""

    def __init__(self):
        super().__init__("leat goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        runtime = Runtime()
        rows = sorted((g.id, runtime.name(g), runtime.describe(g), text(g.birthplace)) for g in runtime.goroutines())
        widths = [max([len(str(row[i])) for row in rows], default=0) for i in range(2)]
        for row in rows:
            birthplace = f"  [{row[3]}]" if row[3] else ""
            print(f"{row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}{birthplace}")


def parse(argument, usage):
    """The number of a goroutine, which may be an expression without spaces, and the rest."""
    words = argument.split(None, 1)
    if not words:
        raise Failure(f"usage: {usage}")
    return int(gdb.parse_and_eval(words[0])), words[1] if len(words) > 1 else ""


class Backtrace(gdb.Command):
    """The backtrace of a goroutine: leat bt ID, with the options of bt."""

    def __init__(self):
        super().__init__("leat bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted, options = parse(argument, "leat bt ID")
        output, switched = with_goroutine(wanted, f"bt {options}", True)
        frames = re.split(r"^(?=#\d)", output, flags=re.MULTILINE)[1:]
        for frame in frames[1 if switched else 0:]:
            renumbered = re.sub(r"^#(\d+) *", lambda m: f"#{int(m.group(1)) - switched:<3}", frame)
            gdb.write(renumbered)


class Goroutine(gdb.Command):
    """Any command with the registers of a goroutine: leat goroutine ID COMMAND."""

    def __init__(self):
        super().__init__("leat goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted, command = parse(argument, "leat goroutine ID COMMAND")
        with_goroutine(wanted, command or "frame")


class Scopes(gdb.Command):
    """The tree of scopes, each with its birthplace, owner and number of goroutines."""

    def __init__(self):
        super().__init__("leat scopes", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        runtime = Runtime()
        stack = [(runtime.record("scope", runtime.layout["root_scope"]), 0)]
        while stack:
            scope, depth = stack.pop()
            owner = scope.owner
            line = "  " * depth + text(scope.birthplace)
            if owner:
                line += f", of goroutine {runtime.record('goroutine', owner).id}"
            live = max(0, scope.n_live - sum(w.credit for w in runtime.workers() if w.credit_of == scope.address))
            line += f": {live} goroutines"
            if scope.shield:
                line += ", a shield"
            if scope.status:
                line += f", ended with status {scope.status}"
            print(line)
            if depth and scope.next_sibling:
                stack.append((runtime.record("scope", scope.next_sibling), depth))
            if scope.children:
                stack.append((runtime.record("scope", scope.children), depth + 1))


class Core(gdb.Command):
    """Writes a core file of a live process, with the stacks of all goroutines: leat core FILE."""

    def __init__(self):
        super().__init__("leat core", gdb.COMMAND_STACK, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        runtime = Runtime()
        path = os.path.expanduser(argument.strip()) or f"core.{gdb.selected_inferior().pid}"
        output = gdb.execute(f"generate-core-file {path}", False, True)
        with open(path, "r+b") as core:
            segments = self.segments(core)
            for g in runtime.on_stacks():
                self.put(core, segments, g, g.stack_low if runtime.worker_of(g) else g.sp)
        gdb.write("".join(line + "\n" for line in output.splitlines() if line.startswith("Saved")))

    def segments(self, core):
        """Address, size and place in the file of each loaded segment."""
        header = core.read(64)
        start, size, n = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
        if n == 0xffff:  # more than the header has room for: the first section says how many
            core.seek(struct.unpack_from("<Q", header, 40)[0])
            n = struct.unpack_from("<I", core.read(64), 44)[0]
        core.seek(start)
        table = core.read(size * n)
        headers = (struct.unpack_from("<IIQQQQQQ", table, size * i) for i in range(n))
        return sorted((address, in_file, offset) for kind, _, offset, address, _, in_file, _, _ in headers if kind == 1)

    def put(self, core, segments, g, low):
        """Its stack, and its descriptor, which lies above."""
        low, high = low & ~4095, g.address + g.layout["goroutine.size"]
        k = bisect.bisect_right(segments, (low, 1 << 64, 0)) - 1
        if k < 0:
            return
        address, size, offset = segments[k]
        if high <= address + size:
            core.seek(offset + low - address)
            core.write(memory(low, high - low))


Leat()
Goroutines()
Backtrace()
Goroutine()
Scopes()
Core()
