// The benchmarks of bench/leat in Go: the same names, shapes and output. (Go's own benchmarks come with Go.)
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// One that is counted does n operations and returns how long they took; one of fixed size returns a value in its unit and what it computed.
type counted func(n int) time.Duration
type fixed struct {
	unit string
	run  func() (value float64, check int64)
}

var benchmarks = map[string]interface{}{
	"yield":             counted(yield),
	"spawn-1000":        counted(func(n int) time.Duration { return startAndJoin(n, 1000) }),
	"spawn-100k":        counted(func(n int) time.Duration { return startAndJoin(n, 100000) }),
	"spawn-crowded":     fixed{"ns", spawnCrowded},
	"spawn-1M":          fixed{"ns", spawn1M},
	"ping-pong":         counted(pingPong),
	"one-way":           counted(func(n int) time.Duration { return oneProducer(n, 0) }),
	"spsc-128":          counted(func(n int) time.Duration { return oneProducer(n, 128) }),
	"mpmc-4x4-128":      counted(func(n int) time.Duration { return many(n, 4, 4, 128) }),
	"fan-in-100":        counted(func(n int) time.Duration { return many(n, 100, 1, 0) }),
	"fan-out-100":       counted(func(n int) time.Duration { return many(n, 1, 100, 0) }),
	"ring-1000":         counted(ring),
	"pairs-0":           counted(func(n int) time.Duration { return pairs(n, 0) }),
	"pairs-128":         counted(func(n int) time.Duration { return pairs(n, 128) }),
	"sieve-1000":        fixed{"ms", sieve},
	"select-2":          counted(select2),
	"select-8":          counted(select8),
	"select-64":         counted(select64),
	"done-1":            counted(func(n int) time.Duration { return doneAmong(n, 1) }),
	"done-1-channel":    counted(func(n int) time.Duration { return doneAmong(n, 1) }),
	"done-64":           counted(func(n int) time.Duration { return doneAmong(n, 64) }),
	"done-64-channel":   counted(func(n int) time.Duration { return doneAmong(n, 64) }),
	"done-1000":         counted(func(n int) time.Duration { return doneAmong(n, 1000) }),
	"done-1000-channel": counted(func(n int) time.Duration { return doneAmong(n, 1000) }),
	"mutex":             counted(func(n int) time.Duration { return mutex(n, 1) }),
	"mutex-4":           counted(func(n int) time.Duration { return mutex(n, 4) }),
	"rwmutex-read":      counted(func(n int) time.Duration { return rwmutex(n, 1, 1<<62) }),
	"rwmutex-4x100":     counted(func(n int) time.Duration { return rwmutex(n, 4, 100) }),
	"rwmutex-4x10":      counted(func(n int) time.Duration { return rwmutex(n, 4, 10) }),
	"rwmutex-4x1":       counted(func(n int) time.Duration { return rwmutex(n, 4, 1) }),
	"cond-ping-pong":    counted(condPingPong),
	"skynet-1M":         fixed{"ms", skynet},
	"skynet-1M-peak":    fixed{"MB", skynetPeak},
	"sleep-100k":        fixed{"ms", sleepers},
	"parked-100k":       fixed{"B", func() (float64, int64) { return parkMany(100000) }},
	"parked-1M":         fixed{"B", func() (float64, int64) { return parkMany(1000000) }},
	"cancel-tree-100k":  fixed{"ms", cancelTree},
	"pipeline":          counted(pipeline),
	"pipeline-any":      counted(pipelineAny),
	"pipeline-typed":    counted(pipelineTyped),
	"pipeline-fused":    counted(pipelineTyped),
	"pipeline-maps":     counted(pipelineMaps),
	"effects-10":        counted(effects10),
	"buffered-write":    counted(bufferedWrite),
	"merge-10":          counted(merge10),
	"tee-2":             counted(tee2),
	"parallel-map":      fixed{"ns", scrambleInParallel},
	"primes":            fixed{"ms", primes},
	"tcp-echo-50":       fixed{"", serve},
	"tcp-echo-10000":    fixed{"", serve},
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "bench-go: "+format+"\n", args...)
	os.Exit(1)
}

func expect(what string, got, expected int64) {
	if got != expected {
		fail("%s is %d, not %d", what, got, expected)
	}
}

func clamp(n, low, high int) int {
	if n < low {
		return low
	}
	if n > high {
		return high
	}
	return n
}

// Operations that took some 100 microseconds when last tried.
var aPortion int

// More operations until they take long enough, as package testing does it.
func calibrated(run counted, goal time.Duration) float64 {
	const most = 1000000000
	aPortion = 1
	for n := 1; ; {
		took := run(n)
		if took >= goal || n >= most {
			return float64(took) / float64(n)
		}
		enough := n * 100
		if took > 0 {
			enough = int(float64(goal) * float64(n) / float64(took) * 1.2)
			aPortion = clamp(100000*n/int(took), 1, 10000)
		}
		n = clamp(clamp(enough, n+1, n*100), 1, most)
	}
}

func main() {
	if len(os.Args) < 2 {
		for name := range benchmarks {
			fmt.Println(name)
		}
		return
	}
	if os.Args[1] == "digest" && len(os.Args) > 2 {
		digest(os.Args[2])
		return
	}
	name, ms := os.Args[1], 200
	if len(os.Args) > 2 {
		ms, _ = strconv.Atoi(os.Args[2])
	}
	switch b := benchmarks[name].(type) {
	case counted:
		fmt.Printf("%s ns %.6g ok\n", name, calibrated(b, time.Duration(ms)*time.Millisecond))
	case fixed:
		value, check := b.run()
		fmt.Printf("%s %s %.6g %d\n", name, b.unit, value, check)
	default:
		fail("no benchmark %s", name)
	}
}
