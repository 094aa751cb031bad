//! The benchmarks of bench/leat in Rust: the same names, shapes and output, as far as tokio and crossbeam can do them.
//!
//! bench-rust tokio|crossbeam [NAME [MILLISECONDS]]: runs one; without a name, lists them. BENCH_WORKERS is the number of workers.

mod tasks;
mod threads;

use std::time::Duration;

/// One that is counted does n operations and answers how long they took; one of fixed size answers a value in its unit and what it
/// computed; a server prints its port and serves until it is killed.
pub enum Benchmark {
    Counted(Box<dyn Fn(i64) -> Duration>),
    Fixed(&'static str, Box<dyn Fn() -> (f64, i64)>),
    Server(Box<dyn Fn()>),
}
pub type Benchmarks = Vec<(&'static str, Benchmark)>;

pub fn expect(what: &str, got: i64, expected: i64) {
    if got != expected {
        eprintln!("bench-rust: {what} is {got}, not {expected}");
        std::process::exit(1);
    }
}

pub fn sum_below(n: i64) -> i64 {
    n * (n - 1) / 2
}

pub fn up(n: i64, by: i64) -> i64 {
    (n + by - 1) / by
}

pub fn workers() -> usize {
    std::env::var("BENCH_WORKERS").ok().and_then(|s| s.parse().ok()).unwrap_or(1)
}

/// A line of /proc/self/status, in bytes.
pub fn memory(field: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = text.lines().find(|l| l.starts_with(field)).expect("a field");
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).expect("a number") * 1024.0
}

/// More operations until they take long enough.
fn calibrated(run: &dyn Fn(i64) -> Duration, goal: Duration) -> f64 {
    const MOST: i64 = 1_000_000_000;
    let mut n = 1;
    loop {
        let took = run(n);
        if took >= goal || n >= MOST {
            return took.as_nanos() as f64 / n as f64;
        }
        let enough = goal.as_nanos() as f64 * n as f64 / took.as_nanos().max(1) as f64 * 1.2;
        n = (enough as i64).clamp(n + 1, n * 100).min(MOST);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let benchmarks = match args.get(1).map(String::as_str) {
        Some("tokio") => tasks::benchmarks(),
        Some("crossbeam") => threads::benchmarks(),
        _ => {
            eprintln!("usage: bench-rust tokio|crossbeam [NAME [MILLISECONDS]]");
            std::process::exit(2);
        }
    };
    let name = match args.get(2) {
        Some(name) => name,
        None => {
            for (name, _) in benchmarks {
                println!("{name}");
            }
            return;
        }
    };
    let ms = args.get(3).and_then(|s| s.parse().ok()).unwrap_or(200);
    match benchmarks.into_iter().find(|(n, _)| n == name) {
        Some((_, Benchmark::Counted(run))) => println!("{name} ns {:.3} ok", calibrated(&*run, Duration::from_millis(ms))),
        Some((_, Benchmark::Fixed(unit, run))) => {
            let (value, check) = run();
            println!("{name} {unit} {value:.3} {check}");
        }
        Some((_, Benchmark::Server(serve))) => serve(),
        None => {
            eprintln!("bench-rust: no benchmark {name}");
            std::process::exit(2);
        }
    }
}
