"""What is measured: one row a benchmark, in groups that share a target.

A target is how often leat has to be faster, or smaller, than a peer. Go's own benchmarks have Go's names, and run from Go's own sources
(`go test PACKAGE`); the others are in the programs of all peers that can do them, under the same name.
"""
from typing import NamedTuple, Optional

ONE, ALL, BOTH = "one", "all", "both"  # on how many CPUs


class Row(NamedTuple):
    name: str
    group: str
    targets: dict           # peer: ratio
    package: Optional[str]  # of Go, if it is one of Go's own
    quick: bool             # also in the subset that `make bench` runs
    cpus: str


ROWS = []

# The floor of a row is what its operations cost on this machine, as measured in the same run: atomic read-modify-writes, and switches where
# one is needed. At most 1.5 times that meets the targets as well. These are of rows that nothing contends for, the first on all CPUs at once,
# which share the operations; on one CPU, more are so.
SWITCH, CAS, PAIR = "bare-switch", "atomic-cas", "atomic-exchange-pair"
FLOORS_SHARED = {
    "MutexUncontended": {CAS: 2},
    "RWMutexUncontended": {CAS: 6},
    "WaitGroupUncontended": {CAS: 2},
    "SemaUncontended": {CAS: 2},
}
FLOORS = {
    "UncontendedSemaphore": {CAS: 2},
    "mutex": {CAS: 2},
    "rwmutex-read": {CAS: 2},
}
FLOORS_ONE_CPU = {
    "yield": {SWITCH: 1, CAS: 1},
    "Mutex": {CAS: 2},
    "MutexSlack": {CAS: 2},
    "mutex-4": {CAS: 2},
    "RWMutexWrite100": {CAS: 2},
    "RWMutexWrite10": {CAS: 2},
    "WaitGroupAddDone": {CAS: 2},
    "SemaSyntNonblock": {CAS: 2},
    "ContendedSemaphore": {CAS: 2},
}
# What a row must not cost more than, whatever its ratios are; shared, too.
LIMITS = {"ChanUncontended": {PAIR: 400}}


def share(counts, n_cpus):
    return {what: n / n_cpus for what, n in counts.items()} if counts else None


def floor_of(name, n_cpus):
    return share(FLOORS_SHARED.get(name), n_cpus) or FLOORS.get(name) or (FLOORS_ONE_CPU.get(name) if n_cpus == 1 else None)


def limit_of(name, n_cpus):
    return share(LIMITS.get(name), n_cpus)


def rows(group, names, go=1.0, package=None, cpus=BOTH, **targets):
    """Adds rows. In the names, those marked with a star are in the subset."""
    for name in names.split():
        ROWS.append(Row(name.rstrip("*"), group, {"go": go, **targets} if go else targets, package, name.endswith("*"), cpus))


rows("floor", "atomic-cas* atomic-exchange-pair* bare-switch* futex-wake page-touch memcpy-4k", None, cpus=ONE)
rows("floor", "cache-line", None, cpus=ALL)
rows("yield", "yield*", 5)
rows("hand over", "ping-pong* ring-1000*", 5, cpus=ONE)
rows("hand over", "ping-pong ring-1000", 4, cpus=ALL)
rows("hand over", "ChanSync* ChanProdCons0*", 4, "runtime")
rows("pipeline", "pipeline* pipeline-any* pipeline-typed*", 5)
rows("pipeline", "pipeline-fused* pipeline-maps*", 50)
rows("pipeline", "effects-10*", 4)
rows("pipeline", "buffered-write* primes* merge-10* tee-2* parallel-map*", 1)
rows("kernel", "fused-map-gcc* fused-map-clang* kernels-64-gcc* kernels-64-clang*", None, cpus=ONE, bare=0.5)
rows("kernel", "fused-loop-gcc fused-loop-clang", None, cpus=ONE)
rows("hand over", "one-way fan-in-100 fan-out-100 sieve-1000 pairs-0*", 4)
rows("buffered", "ChanUncontended* ChanContended* ChanProdCons10* ChanProdCons100 ChanSem ChanCreation", 3, "runtime")
rows("buffered", "spsc-128* mpmc-4x4-128* pairs-128*", 3)
rows("select", "SelectUncontended* SelectSyncContended* SelectAsyncContended", 4, "runtime")
rows("select", "select-2 select-8* select-64", 4)
rows("select, shared done", "done-1* done-1-channel", 4)
rows("select, shared done", "done-64* done-64-channel done-1000* done-1000-channel", 10)
rows("spawn", "CreateGoroutines* CreateGoroutinesParallel CreateGoroutinesSingle* CreateGoroutinesCapture", 5, "runtime")
rows("spawn", "spawn-1000* spawn-100k spawn-1M skynet-1M*", 5)
rows("spawn", "spawn-crowded", 5, cpus=ONE)
rows("other", "MakeChan/Byte MakeChan/Int MakeChan/Ptr MakeChan/Struct/0 MakeChan/Struct/32 MakeChan/Struct/40", 1, "runtime")
rows("other", "ChanNonblocking ChanClosed SelectNonblock* ReceiveDataFromClosedChan ChanPopular* PingPongHog Matmult", 1, "runtime")
rows("other", "ChanSyncWork ChanProdConsWork0 ChanProdConsWork10 ChanProdConsWork100 SelectProdCons", 1, "runtime")
for kind in ("Spinning", "Syscall"):
    for delay in (0, 1, 2, 5, 10, 20, 50, 100):
        rows("other", f"WakeupParallel{kind}/{delay}{'µs' if delay else 's'}" + ("*" if delay == 0 else ""), 1, "runtime", ALL)
rows("locks", "MutexUncontended* Mutex* MutexSlack MutexWork MutexWorkSlack MutexNoSpin MutexSpin", 1, "sync")
rows("locks", "RWMutexUncontended RWMutexWrite100* RWMutexWrite10 RWMutexWorkWrite100 RWMutexWorkWrite10", 1, "sync")
rows("locks", "WaitGroupUncontended WaitGroupAddDone WaitGroupAddDoneWork WaitGroupWait WaitGroupWaitWork WaitGroupActuallyWait*", 1, "sync")
rows("locks", "Cond1* Cond2 Cond4 Cond8 Cond16 Cond32 Once OnceFunc/v=Global OnceValue/v=Global", 1, "sync")
rows("locks", "Pool* PoolOverflow PoolStarvation PoolExpensiveNew", 1, "sync")
rows("locks", "SemaUncontended SemaSyntNonblock SemaSyntBlock SemaWorkNonblock SemaWorkBlock UncontendedSemaphore ContendedSemaphore", 1, "sync")
rows("locks", "mutex mutex-4 rwmutex-read rwmutex-4x100 rwmutex-4x10 rwmutex-4x1 cond-ping-pong", 1)
for depth in (1, 10, 100, 1000):
    for root in ("Background", "OpenCanceler", "ClosedCanceler"):
        rows("context", f"CancelTree/depth={depth}/Root={root}" + ("*" if depth == 100 and root == "OpenCanceler" else ""), 1, "context")
rows("context", "CheckCanceled/Err* CheckCanceled/Done ErrOK* ErrCanceled ContextCancelDone CommonParentCancel", 1, "context")
rows("context", "WithTimeout/concurrency=40 WithTimeout/concurrency=4000 WithTimeout/concurrency=400000", 1, "context")
for depth in (10, 20, 30, 50, 100):
    rows("context", f"DeepValueNewGoRoutine/depth={depth} DeepValueSameGoRoutine/depth={depth}" + ("*" if depth == 10 else ""), 1, "context")
rows("timers", "AfterFunc1000* After* Stop/impl=chan Stop/impl=func SimultaneousAfterFunc1000 StartStop1000* Reset/impl=chan* Reset/impl=func", 2, "time")
rows("timers", "Sleep1000* AdjustTimers10000 Ticker TickerReset TickerResetNaive", 2, "time")
rows("timers", "sleep-100k*", 2)
rows("other", "cancel-tree-100k*", 1)
rows("tcp", "tcp-echo-50* tcp-echo-10000*", 1.15, cpus=ONE, bare=0.93)
rows("digest", "digest*", 3, bare=2)
rows("memory", "parked-100k* parked-1M", None, cpus=ONE)
rows("memory", "skynet-1M-peak", None, cpus=ONE)

# Geometric means: what of, how many times Go at least, and whether one row may be below 1.
MEANS = [
    ("locks, pools and contexts", lambda row: row.group in ("locks", "context"), 2),
    ("Go's own benchmarks", lambda row: row.package is not None, 4),
]
SCALING = ["pairs-0", "pairs-128"]  # whose throughput should grow with the CPUs
MOST = {"parked-100k": 4.8 * 1024, "parked-1M": 4.8 * 1024}  # of leat, in the row's unit
