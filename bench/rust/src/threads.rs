//! Threads of the system, and crossbeam's channels between them.

use crate::{expect, sum_below, up, workers, Benchmark, Benchmarks};
use crossbeam_channel::{bounded, Receiver, Select, Sender};
use std::thread;
use std::time::{Duration, Instant};

pub fn benchmarks() -> Benchmarks {
    fn counted(run: impl Fn(i64) -> Duration + 'static) -> Benchmark {
        Benchmark::Counted(Box::new(run))
    }
    vec![
        ("spawn-1000", counted(spawn_1000)),
        ("ping-pong", counted(ping_pong)),
        ("one-way", counted(|n| many(n, 1, 1, 0))),
        ("spsc-128", counted(|n| many(n, 1, 1, 128))),
        ("mpmc-4x4-128", counted(|n| many(n, 4, 4, 128))),
        ("fan-in-100", counted(|n| many(n, 100, 1, 0))),
        ("fan-out-100", counted(|n| many(n, 1, 100, 0))),
        ("pairs-0", counted(|n| pairs(n, 0))),
        ("pairs-128", counted(|n| pairs(n, 128))),
        ("ring-1000", counted(ring)),
        ("select-2", counted(|n| select(n, 2))),
        ("select-8", counted(|n| select(n, 8))),
        ("select-64", counted(|n| select(n, 64))),
        ("pipeline", counted(pipeline)),
    ]
}

fn spawn_1000(n: i64) -> Duration {
    let start = Instant::now();
    let (mut left, mut marks) = (n, 0);
    while left > 0 {
        let batch: Vec<_> = (0..left.min(1000)).map(|_| thread::spawn(|| 1)).collect();
        left -= batch.len() as i64;
        marks += batch.into_iter().map(|t| t.join().expect("a thread")).sum::<i64>();
    }
    expect("marks", marks, n);
    start.elapsed()
}

fn ping_pong(n: i64) -> Duration {
    let ((ping, in_), (out, pong)) = (bounded::<i64>(0), bounded::<i64>(0));
    let echo = thread::spawn(move || {
        for v in in_ {
            out.send(v + 1).expect("a receiver");
        }
    });
    let (start, mut v) = (Instant::now(), 0);
    for _ in 0..n {
        ping.send(v).expect("a receiver");
        v = pong.recv().expect("a sender");
    }
    let took = start.elapsed();
    expect("value", v, n);
    drop(ping);
    echo.join().expect("a thread");
    took
}

fn produce(out: Sender<i64>, first: i64, end: i64) {
    for i in first..end {
        out.send(i).expect("a receiver");
    }
}

fn many(n: i64, n_senders: i64, n_receivers: i64, capacity: usize) -> Duration {
    let each = up(n, n_senders);
    let (out, in_) = bounded(capacity);
    let start = Instant::now();
    let receivers: Vec<_> = (0..n_receivers)
        .map(|_| {
            let in_: Receiver<i64> = in_.clone();
            thread::spawn(move || in_.iter().sum::<i64>())
        })
        .collect();
    for i in 0..n_senders {
        let out = out.clone();
        thread::spawn(move || produce(out, i * each, (i + 1) * each));
    }
    drop(out);
    let sum: i64 = receivers.into_iter().map(|t| t.join().expect("a thread")).sum();
    let took = start.elapsed();
    expect("sum", sum, sum_below(n_senders * each));
    took
}

fn pairs(n: i64, capacity: usize) -> Duration {
    let workers = workers() as i64;
    let start = Instant::now();
    let all: Vec<_> = (0..workers).map(|_| thread::spawn(move || many(up(n, workers), 1, 1, capacity))).collect();
    for t in all {
        t.join().expect("a thread");
    }
    start.elapsed()
}

fn ring(n: i64) -> Duration {
    const NODES: usize = 1000;
    let laps = up(n, NODES as i64);
    let (mut outs, mut ins): (Vec<_>, Vec<_>) = (0..NODES).map(|_| bounded::<i64>(0)).unzip();
    let (last, first) = (ins.pop().expect("a node"), outs.remove(0));
    for (in_, out) in ins.into_iter().zip(outs) {
        thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(move || {
                for _ in 0..laps {
                    out.send(in_.recv().expect("a sender") + 1).expect("a receiver");
                }
            })
            .expect("a thread");
    }
    let (start, mut v) = (Instant::now(), 0);
    for _ in 0..laps {
        first.send(v + 1).expect("a receiver");
        v = last.recv().expect("a sender");
    }
    let took = start.elapsed();
    expect("value", v, laps * NODES as i64);
    took
}

fn select(n: i64, channels: usize) -> Duration {
    let each = up(n, channels as i64);
    let start = Instant::now();
    let ins: Vec<Receiver<i64>> = (0..channels)
        .map(|_| {
            let (out, in_) = bounded(0);
            thread::spawn(move || produce(out, 1, each + 1));
            in_
        })
        .collect();
    let (mut last, mut done) = (vec![0; channels], 0);
    let mut select = Select::new();
    for in_ in &ins {
        select.recv(in_);
    }
    while done < channels {
        let case = select.select();
        let from = case.index();
        match case.recv(&ins[from]) {
            Ok(v) => {
                last[from] += 1;
                expect("value", v, last[from]);
            }
            Err(_) => {
                select.remove(from);
                done += 1;
            }
        }
    }
    expect("values", last.into_iter().sum(), each * channels as i64);
    start.elapsed()
}

fn pipeline(n: i64) -> Duration {
    let ((repeated, ones), (taken, some)) = (bounded::<i64>(0), bounded::<i64>(0));
    let start = Instant::now();
    thread::spawn(move || while repeated.send(1).is_ok() {});
    thread::spawn(move || {
        for _ in 0..n {
            taken.send(ones.recv().expect("a sender")).expect("a receiver");
        }
    });
    let sum: i64 = some.iter().sum();
    let took = start.elapsed();
    expect("sum", sum, n);
    took
}
