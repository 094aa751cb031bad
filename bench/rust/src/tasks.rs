//! Tasks of tokio: stackless. Its channels hold one value at least, so what is unbuffered elsewhere has capacity 1 here.

use crate::{expect, memory, sum_below, up, workers, Benchmark, Benchmarks};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{channel, Receiver, Sender};
use tokio::sync::{Mutex, RwLock, Semaphore};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

fn runtime() -> Runtime {
    let mut builder = if workers() == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if workers() > 1 {
        builder.worker_threads(workers());
    }
    builder.enable_all().build().expect("a runtime")
}

/// Runs it as a task on a worker, not on the thread that waits for it.
fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = runtime();
    let task = runtime.spawn(future);
    let result = runtime.block_on(task).expect("a task");
    runtime.shutdown_background();
    result
}

pub fn benchmarks() -> Benchmarks {
    fn counted<F: Future<Output = Duration> + Send + 'static>(make: impl Fn(i64) -> F + 'static) -> Benchmark {
        Benchmark::Counted(Box::new(move |n| run(make(n))))
    }
    fn fixed<F: Future<Output = (f64, i64)> + Send + 'static>(unit: &'static str, make: impl Fn() -> F + 'static) -> Benchmark {
        Benchmark::Fixed(unit, Box::new(move || run(make())))
    }
    vec![
        ("yield", counted(give_way)),
        ("spawn-1000", counted(|n| start_and_join(n, 1000))),
        ("spawn-100k", counted(|n| start_and_join(n, 100000))),
        ("spawn-1M", fixed("ns", spawn_1m)),
        ("ping-pong", counted(ping_pong)),
        ("one-way", counted(|n| many(n, 1, 1))),
        ("spsc-128", counted(|n| many(n, 1, 128))),
        ("fan-in-100", counted(|n| many(n, 100, 1))),
        ("pairs-0", counted(|n| pairs(n, 1))),
        ("pairs-128", counted(|n| pairs(n, 128))),
        ("ring-1000", counted(ring)),
        ("sieve-1000", fixed("ms", sieve)),
        ("select-2", counted(select_2)),
        ("select-8", counted(select_8)),
        ("done-1", counted(|n| done_among(n, 1))),
        ("done-64", counted(|n| done_among(n, 64))),
        ("done-1000", counted(|n| done_among(n, 1000))),
        ("pipeline", counted(pipeline)),
        ("mutex", counted(|n| mutex(n, 1))),
        ("mutex-4", counted(|n| mutex(n, 4))),
        ("rwmutex-read", counted(|n| rwmutex(n, 1, i64::MAX))),
        ("rwmutex-4x100", counted(|n| rwmutex(n, 4, 100))),
        ("rwmutex-4x10", counted(|n| rwmutex(n, 4, 10))),
        ("rwmutex-4x1", counted(|n| rwmutex(n, 4, 1))),
        ("skynet-1M", fixed("ms", skynet)),
        ("skynet-1M-peak", fixed("MB", skynet_peak)),
        ("sleep-100k", fixed("ms", sleepers)),
        ("parked-100k", fixed("B", || park_many(100000))),
        ("parked-1M", fixed("B", || park_many(1000000))),
        ("cancel-tree-100k", fixed("ms", cancel_tree)),
        ("tcp-echo-50", Benchmark::Server(Box::new(serve))),
        ("tcp-echo-10000", Benchmark::Server(Box::new(serve))),
    ]
}

async fn give_way(n: i64) -> Duration {
    let each = up(n, 100);
    let start = Instant::now();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn(async move {
                let mut count = 0;
                while count < each {
                    yield_now().await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    for t in tasks {
        expect("count", t.await.expect("a task"), each);
    }
    start.elapsed()
}

async fn start_and_join(n: i64, batch: i64) -> Duration {
    let start = Instant::now();
    let (mut left, mut marks) = (n, 0);
    while left > 0 {
        let tasks: Vec<_> = (0..left.min(batch)).map(|_| tokio::spawn(async { 1 })).collect();
        left -= tasks.len() as i64;
        for t in tasks {
            marks += t.await.expect("a task");
        }
    }
    expect("marks", marks, n);
    start.elapsed()
}

async fn spawn_1m() -> (f64, i64) {
    let n = 1000000;
    (start_and_join(n, n).await.as_nanos() as f64 / n as f64, n)
}

async fn ping_pong(n: i64) -> Duration {
    let ((ping, mut in_), (out, mut pong)) = (channel::<i64>(1), channel::<i64>(1));
    tokio::spawn(async move {
        while let Some(v) = in_.recv().await {
            out.send(v + 1).await.expect("a receiver");
        }
    });
    let (start, mut v) = (Instant::now(), 0);
    for _ in 0..n {
        ping.send(v).await.expect("a receiver");
        v = pong.recv().await.expect("a sender");
    }
    expect("value", v, n);
    start.elapsed()
}

async fn produce(out: Sender<i64>, first: i64, end: i64) {
    for i in first..end {
        out.send(i).await.expect("a receiver");
    }
}

/// To one receiver: tokio has no channel with several.
async fn many(n: i64, n_senders: i64, capacity: usize) -> Duration {
    let each = up(n, n_senders);
    let (out, mut in_) = channel(capacity);
    let (start, mut sum) = (Instant::now(), 0);
    for i in 0..n_senders {
        tokio::spawn(produce(out.clone(), i * each, (i + 1) * each));
    }
    drop(out);
    while let Some(v) = in_.recv().await {
        sum += v;
    }
    expect("sum", sum, sum_below(n_senders * each));
    start.elapsed()
}

async fn pairs(n: i64, capacity: usize) -> Duration {
    let workers = workers() as i64;
    let start = Instant::now();
    let all: Vec<_> = (0..workers).map(|_| tokio::spawn(many(up(n, workers), 1, capacity))).collect();
    for t in all {
        t.await.expect("a task");
    }
    start.elapsed()
}

async fn ring(n: i64) -> Duration {
    const NODES: i64 = 1000;
    let laps = up(n, NODES);
    let (first, mut last) = channel::<i64>(1);
    for _ in 1..NODES {
        let (out, in_) = channel::<i64>(1);
        let mut from = std::mem::replace(&mut last, in_);
        tokio::spawn(async move {
            for _ in 0..laps {
                out.send(from.recv().await.expect("a sender") + 1).await.expect("a receiver");
            }
        });
    }
    let (start, mut v) = (Instant::now(), 0);
    for _ in 0..laps {
        first.send(v + 1).await.expect("a receiver");
        v = last.recv().await.expect("a sender");
    }
    expect("value", v, laps * NODES);
    start.elapsed()
}

async fn sieve() -> (f64, i64) {
    let start = Instant::now();
    let (out, mut c) = channel::<i64>(1);
    tokio::spawn(async move {
        let mut i = 2;
        while out.send(i).await.is_ok() {
            i += 1;
        }
    });
    let mut prime = 0;
    for _ in 0..1000 {
        prime = c.recv().await.expect("a sender");
        let (out, next) = channel::<i64>(1);
        let mut in_ = std::mem::replace(&mut c, next);
        tokio::spawn(async move {
            while let Some(i) = in_.recv().await {
                if i % prime != 0 && out.send(i).await.is_err() {
                    return;
                }
            }
        });
    }
    (start.elapsed().as_secs_f64() * 1e3, prime)
}

fn feed(n: i64) -> Receiver<i64> {
    let (out, in_) = channel(1);
    tokio::spawn(produce(out, 1, n + 1));
    in_
}

async fn select_2(n: i64) -> Duration {
    let each = up(n, 2);
    let start = Instant::now();
    let (mut a, mut b, mut last) = (feed(each), feed(each), [0; 2]);
    for _ in 0..2 * each {
        let (from, v) = tokio::select! {
            Some(v) = a.recv() => (0, v),
            Some(v) = b.recv() => (1, v),
        };
        last[from] += 1;
        expect("value", v, last[from]);
    }
    start.elapsed()
}

async fn select_8(n: i64) -> Duration {
    let each = up(n, 8);
    let start = Instant::now();
    let (mut a, mut b, mut c, mut d) = (feed(each), feed(each), feed(each), feed(each));
    let (mut e, mut f, mut g, mut h) = (feed(each), feed(each), feed(each), feed(each));
    let mut last = [0; 8];
    for _ in 0..8 * each {
        let (from, v) = tokio::select! {
            Some(v) = a.recv() => (0, v),
            Some(v) = b.recv() => (1, v),
            Some(v) = c.recv() => (2, v),
            Some(v) = d.recv() => (3, v),
            Some(v) = e.recv() => (4, v),
            Some(v) = f.recv() => (5, v),
            Some(v) = g.recv() => (6, v),
            Some(v) = h.recv() => (7, v),
        };
        last[from] += 1;
        expect("value", v, last[from]);
    }
    start.elapsed()
}

/// Pairs that all look at one token which says when to end.
async fn done_among(n: i64, pairs: i64) -> Duration {
    let (done, left) = (CancellationToken::new(), Arc::new(AtomicI64::new(n)));
    let start = Instant::now();
    let tasks: Vec<_> = (0..pairs)
        .map(|_| {
            let (out, mut in_) = channel::<i64>(1);
            let (done, sees, left) = (done.clone(), done.clone(), left.clone());
            tokio::spawn(async move {
                let mut i = 1;
                loop {
                    tokio::select! {
                        sent = out.send(i) => if sent.is_err() { return },
                        _ = done.cancelled() => return,
                    }
                    i += 1;
                }
            });
            tokio::spawn(async move {
                let mut last = 0;
                loop {
                    let portion = left.fetch_sub(100, Ordering::Relaxed).min(100);
                    if portion <= 0 {
                        return;
                    }
                    for _ in 0..portion {
                        tokio::select! {
                            Some(v) = in_.recv() => {
                                last += 1;
                                expect("value", v, last);
                            }
                            _ = sees.cancelled() => expect("done too early", 1, 0),
                        }
                    }
                }
            })
        })
        .collect();
    for t in tasks {
        t.await.expect("a task");
    }
    let took = start.elapsed();
    done.cancel();
    took
}

async fn pipeline(n: i64) -> Duration {
    let ((repeated, mut ones), (taken, mut some)) = (channel::<i64>(1), channel::<i64>(1));
    let (start, mut sum) = (Instant::now(), 0);
    tokio::spawn(async move { while repeated.send(1).await.is_ok() {} });
    tokio::spawn(async move {
        for _ in 0..n {
            taken.send(ones.recv().await.expect("a sender")).await.expect("a receiver");
        }
    });
    while let Some(v) = some.recv().await {
        sum += v;
    }
    expect("sum", sum, n);
    start.elapsed()
}

async fn mutex(n: i64, tasks: i64) -> Duration {
    let (each, count) = (up(n, tasks), Arc::new(Mutex::new(0)));
    let start = Instant::now();
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            let count = count.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    *count.lock().await += 1;
                }
            })
        })
        .collect();
    for t in all {
        t.await.expect("a task");
    }
    let took = start.elapsed();
    expect("count", *count.lock().await, tasks * each);
    took
}

async fn rwmutex(n: i64, tasks: i64, write_every: i64) -> Duration {
    let (each, table) = (up(n, tasks), Arc::new(RwLock::new([0i64; 16])));
    let start = Instant::now();
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            let table = table.clone();
            tokio::spawn(async move {
                for i in 1..=each {
                    if i % write_every == 0 {
                        table.write().await.iter_mut().for_each(|cell| *cell += 1);
                    } else {
                        let sum: i64 = table.read().await.iter().sum();
                        expect("sum", sum % 16, 0);
                    }
                }
            })
        })
        .collect();
    for t in all {
        t.await.expect("a task");
    }
    let took = start.elapsed();
    expect("cell", table.read().await[0], tasks * (each / write_every));
    took
}

fn node(out: Sender<i64>, first: i64, leaves: i64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut sum = first;
        if leaves > 1 {
            sum = 0;
            let (child, mut c) = channel(1);
            for i in 0..10 {
                tokio::spawn(node(child.clone(), first + i * (leaves / 10), leaves / 10));
            }
            for _ in 0..10 {
                sum += c.recv().await.expect("a sender");
            }
        }
        out.send(sum).await.expect("a receiver");
    })
}

async fn skynet() -> (f64, i64) {
    let start = Instant::now();
    let (out, mut c) = channel(1);
    tokio::spawn(node(out, 0, 1000000));
    let sum = c.recv().await.expect("a sender");
    (start.elapsed().as_secs_f64() * 1e3, sum)
}

async fn skynet_peak() -> (f64, i64) {
    let (_, sum) = skynet().await;
    (memory("VmHWM") / 1e6, sum)
}

async fn sleepers() -> (f64, i64) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..100000)
        .map(|_| {
            tokio::spawn(async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                1
            })
        })
        .collect();
    let mut done = 0;
    for t in tasks {
        done += t.await.expect("a task");
    }
    ((start.elapsed().as_secs_f64() - 0.1) * 1e3, done)
}

async fn park_many(n: i64) -> (f64, i64) {
    let (parked, closed) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let before = memory("VmRSS") + memory("VmPTE");
    for _ in 0..n {
        let (parked, closed, gate) = (parked.clone(), closed.clone(), gate.clone());
        tokio::spawn(async move {
            parked.fetch_add(1, Ordering::Relaxed);
            if gate.acquire().await.is_err() {
                closed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while parked.load(Ordering::Relaxed) < n {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let bytes = (memory("VmRSS") + memory("VmPTE") - before) / n as f64;
    gate.close();
    while closed.load(Ordering::Relaxed) < n {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (bytes, closed.load(Ordering::Relaxed))
}

fn branch(token: CancellationToken, leaves: i64, ready: Arc<AtomicI64>) -> Pin<Box<dyn Future<Output = i64> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            ready.fetch_add(1, Ordering::Relaxed);
            token.cancelled().await;
            return 1;
        }
        let below: Vec<_> = (0..10).map(|_| tokio::spawn(branch(token.child_token(), leaves / 10, ready.clone()))).collect();
        let mut ended = 0;
        for t in below {
            ended += t.await.expect("a task");
        }
        ended
    })
}

/// Tokens in a tree, and 100,000 tasks that wait for its leaves: from the cancel of the root until all have ended.
async fn cancel_tree() -> (f64, i64) {
    let (root, ready) = (CancellationToken::new(), Arc::new(AtomicI64::new(0)));
    let top = tokio::spawn(branch(root.clone(), 100000, ready.clone()));
    while ready.load(Ordering::Relaxed) < 100000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let start = Instant::now();
    root.cancel();
    let ended = top.await.expect("a task");
    (start.elapsed().as_secs_f64() * 1e3, ended)
}

fn serve() {
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        println!("port {}", listener.local_addr().expect("an address").port());
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("nodelay");
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(n) = stream.read(&mut buffer).await {
                    if n == 0 || stream.write_all(&buffer[..n]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
}
