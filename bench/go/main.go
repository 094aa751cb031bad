// The benchmarks of bench/leat in Go: same names, shapes, counts and output.
package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var benchmarks = map[string]func(){
	"yield":          yield,
	"spawn-1000":     func() { startAndJoin("spawn-1000", 1000, 1000) },
	"spawn-100k":     func() { startAndJoin("spawn-100k", 100000, 10) },
	"ping-pong":      pingPong,
	"one-way":        func() { oneProducer("one-way", 0, 2000000) },
	"spsc-128":       func() { oneProducer("spsc-128", 128, 5000000) },
	"mpmc-4x4-128":   mpmc,
	"ring-1000":      ring,
	"sieve-1000":     sieve,
	"select-2":       select2,
	"select-8":       select8,
	"mutex":          mutex,
	"mutex-4":        mutex4,
	"rwmutex-read":   func() { rwmutex("rwmutex-read", 1, 10000000, math.MaxInt64) },
	"rwmutex-4x100":  func() { rwmutex("rwmutex-4x100", 4, 1000000, 100) },
	"rwmutex-4x10":   func() { rwmutex("rwmutex-4x10", 4, 500000, 10) },
	"rwmutex-4x1":    func() { rwmutex("rwmutex-4x1", 4, 500000, 1) },
	"cond-ping-pong": condPingPong,
	"skynet-1M":      skynet,
	"sleep-100k":     sleepers,
	"parked-100k":    func() { parkMany("parked-100k", 100000) },
	"parked-1M":      func() { parkMany("parked-1M", 1000000) },
}

func main() {
	if len(os.Args) < 2 {
		for name := range benchmarks {
			fmt.Println(name)
		}
		return
	}
	run, known := benchmarks[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "bench-go: no benchmark %s\n", os.Args[1])
		os.Exit(2)
	}
	run()
}

func report(name, unit string, value float64) { fmt.Printf("%s %s %.6g\n", name, unit, value) }

func reportEach(name string, start time.Time, n int64) {
	report(name, "ns", float64(time.Since(start).Nanoseconds())/float64(n))
}

func expect(what string, got, expected int64) {
	if got != expected {
		fmt.Fprintf(os.Stderr, "bench-go: %s is %d, not %d\n", what, got, expected)
		os.Exit(1)
	}
}

func sumBelow(n int64) int64 { return n * (n - 1) / 2 }

func yield() {
	const goroutines, times = 100, 50000
	var count [goroutines]struct {
		n int64
		_ [56]byte
	}
	var wg sync.WaitGroup
	start := time.Now()
	wg.Add(goroutines)
	for i := range count {
		go func(n *int64) {
			for ; *n < times; *n++ {
				runtime.Gosched()
			}
			wg.Done()
		}(&count[i].n)
	}
	wg.Wait()
	reportEach("yield", start, goroutines*times)
	for i := range count {
		expect("count", count[i].n, times)
	}
}

func leaveMark(cell *uint32, wg *sync.WaitGroup) {
	*cell++
	wg.Done()
}

func startAndJoin(name string, batch, batches int) {
	marks := make([]uint32, batch)
	start := time.Now()
	var wg sync.WaitGroup
	for b := 0; b < batches; b++ {
		wg.Add(batch)
		for i := range marks {
			go leaveMark(&marks[i], &wg)
		}
		wg.Wait()
	}
	reportEach(name, start, int64(batch*batches))
	for _, m := range marks {
		expect("mark", int64(m), int64(batches))
	}
}

func pingPong() {
	const n = 1000000
	ping, pong := make(chan int64), make(chan int64)
	go func() {
		for v := range ping {
			pong <- v + 1
		}
	}()
	start := time.Now()
	v := int64(0)
	for i := 0; i < n; i++ {
		ping <- v
		v = <-pong
	}
	reportEach("ping-pong", start, n)
	expect("value", v, n)
	close(ping)
}

func produce(out chan<- int64, first, end int64) {
	for i := first; i < end; i++ {
		out <- i
	}
}

func oneProducer(name string, capacity int, n int64) {
	c := make(chan int64, capacity)
	start := time.Now()
	go produce(c, 0, n)
	sum := int64(0)
	for i := int64(0); i < n; i++ {
		sum += <-c
	}
	reportEach(name, start, n)
	expect("sum", sum, sumBelow(n))
}

func mpmc() {
	const ends, each = 4, 1000000
	c := make(chan int64, 128)
	var sums [ends]int64
	var senders, receivers sync.WaitGroup
	senders.Add(ends)
	receivers.Add(ends)
	start := time.Now()
	for i := 0; i < ends; i++ {
		go func(sum *int64) {
			own := int64(0)
			for v := range c {
				own += v
			}
			*sum = own
			receivers.Done()
		}(&sums[i])
	}
	for i := int64(0); i < ends; i++ {
		go func(i int64) {
			produce(c, i*each, (i+1)*each)
			senders.Done()
		}(i)
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	reportEach("mpmc-4x4-128", start, ends*each)
	sum := int64(0)
	for _, s := range sums {
		sum += s
	}
	expect("sum", sum, sumBelow(ends*each))
}

func passOn(in <-chan int64, out chan<- int64, laps int) {
	for i := 0; i < laps; i++ {
		out <- <-in + 1
	}
}

func ring() {
	const nodes, laps = 1000, 1000
	var c [nodes]chan int64
	for i := range c {
		c[i] = make(chan int64)
	}
	for i := 1; i < nodes; i++ {
		go passOn(c[i-1], c[i], laps)
	}
	start := time.Now()
	v := int64(0)
	for lap := 0; lap < laps; lap++ {
		c[0] <- v + 1
		v = <-c[nodes-1]
	}
	reportEach("ring-1000", start, laps*nodes)
	expect("value", v, laps*nodes)
}

func countUp(out chan<- int64) {
	for i := int64(2); ; i++ {
		out <- i
	}
}

func sift(in <-chan int64, out chan<- int64, prime int64) {
	for i := range in {
		if i%prime != 0 {
			out <- i
		}
	}
}

func sieve() {
	const primes = 1000
	start := time.Now()
	c := make(chan int64)
	go countUp(c)
	var prime int64
	for i := 0; i < primes; i++ {
		prime = <-c
		next := make(chan int64)
		go sift(c, next, prime)
		c = next
	}
	report("sieve-1000", "ms", time.Since(start).Seconds()*1e3)
	expect("the 1000th prime", prime, 7919)
}

func feed(out chan<- int64, n int64) {
	for i := int64(1); i <= n; i++ {
		out <- i
	}
}

func select2() {
	const each = 500000
	a, b := make(chan int64), make(chan int64)
	start := time.Now()
	go feed(a, each)
	go feed(b, each)
	var last [2]int64
	for i := 0; i < 2*each; i++ {
		var v int64
		from := 0
		select {
		case v = <-a:
		case v = <-b:
			from = 1
		}
		last[from]++
		expect("value", v, last[from])
	}
	reportEach("select-2", start, 2*each)
}

func select8() {
	const most, each = 8, 62500
	var c [most]chan int64
	start := time.Now()
	for i := range c {
		c[i] = make(chan int64)
		go feed(c[i], each)
	}
	var last [most]int64
	for i := 0; i < most*each; i++ {
		var v int64
		from := 0
		select {
		case v = <-c[0]:
		case v = <-c[1]:
			from = 1
		case v = <-c[2]:
			from = 2
		case v = <-c[3]:
			from = 3
		case v = <-c[4]:
			from = 4
		case v = <-c[5]:
			from = 5
		case v = <-c[6]:
			from = 6
		case v = <-c[7]:
			from = 7
		}
		last[from]++
		expect("value", v, last[from])
	}
	reportEach("select-8", start, most*each)
}

// A line of /proc/self/status, in bytes.
func memory(field string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == field+":" {
			kib, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				panic(err)
			}
			return kib * 1024
		}
	}
	panic(field)
}

func node(out chan<- int64, first, leaves int64) {
	sum := first
	if leaves > 1 {
		sum = 0
		c := make(chan int64)
		for i := int64(0); i < 10; i++ {
			go node(c, first+i*(leaves/10), leaves/10)
		}
		for i := 0; i < 10; i++ {
			sum += <-c
		}
	}
	out <- sum
}

func mutex() {
	const times = 20000000
	var m sync.Mutex
	n := int64(0)
	start := time.Now()
	for i := 0; i < times; i++ {
		m.Lock()
		n++
		m.Unlock()
	}
	reportEach("mutex", start, times)
	expect("count", n, times)
}

func mutex4() {
	const goroutines, times = 4, 2500000
	var m sync.Mutex
	var wg sync.WaitGroup
	n := int64(0)
	start := time.Now()
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			for i := 0; i < times; i++ {
				m.Lock()
				n++
				m.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	reportEach("mutex-4", start, goroutines*times)
	expect("count", n, goroutines*times)
}

type table struct {
	m     sync.RWMutex
	cells [16]int64
}

func (t *table) lookUp(times, writeEvery int64) {
	for i := int64(1); i <= times; i++ {
		if i%writeEvery == 0 {
			t.m.Lock()
			for k := range t.cells {
				t.cells[k]++
			}
			t.m.Unlock()
		} else {
			t.m.RLock()
			sum := int64(0)
			for k := range t.cells {
				sum += t.cells[k]
			}
			expect("sum", sum%int64(len(t.cells)), 0)
			t.m.RUnlock()
		}
	}
}

func rwmutex(name string, goroutines int, times, writeEvery int64) {
	var t table
	var wg sync.WaitGroup
	start := time.Now()
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			t.lookUp(times, writeEvery)
			wg.Done()
		}()
	}
	wg.Wait()
	reportEach(name, start, int64(goroutines)*times)
	expect("cell", t.cells[0], int64(goroutines)*(times/writeEvery))
}

func condPingPong() {
	const times = 1000000
	var m sync.Mutex
	turn := [2]*sync.Cond{sync.NewCond(&m), sync.NewCond(&m)}
	var wg sync.WaitGroup
	n := 0
	start := time.Now()
	wg.Add(2)
	for me := 0; me < 2; me++ {
		go func(me int) {
			m.Lock()
			for n < 2*times {
				for n%2 != me && n < 2*times {
					turn[me].Wait()
				}
				if n < 2*times {
					n++
				}
				turn[1-me].Signal()
			}
			m.Unlock()
			wg.Done()
		}(me)
	}
	wg.Wait()
	reportEach("cond-ping-pong", start, times)
	expect("turns", int64(n), 2*times)
}

func skynet() {
	start := time.Now()
	c := make(chan int64)
	go node(c, 0, 1000000)
	sum := <-c
	report("skynet-1M", "ms", time.Since(start).Seconds()*1e3)
	report("skynet-1M-peak", "MB", memory("VmHWM")/1e6)
	expect("sum", sum, 499999500000)
}

func sleepers() {
	const n = 100000
	var done int64
	var wg sync.WaitGroup
	wg.Add(n)
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() {
			time.Sleep(100 * time.Millisecond)
			atomic.AddInt64(&done, 1)
			wg.Done()
		}()
	}
	wg.Wait()
	report("sleep-100k", "ms", (time.Since(start).Seconds()-0.1)*1e3)
	expect("sleepers", done, n)
}

func parkMany(name string, n int64) {
	var parked, closed int64
	var wg sync.WaitGroup
	c := make(chan byte)
	debug.FreeOSMemory()
	before := memory("VmRSS") + memory("VmPTE")
	wg.Add(int(n))
	for i := int64(0); i < n; i++ {
		go func() {
			atomic.AddInt64(&parked, 1)
			if _, ok := <-c; !ok {
				atomic.AddInt64(&closed, 1)
			}
			wg.Done()
		}()
	}
	for atomic.LoadInt64(&parked) < n {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	debug.FreeOSMemory()
	report(name, "B", (memory("VmRSS")+memory("VmPTE")-before)/float64(n))
	close(c)
	wg.Wait()
	expect("goroutines that saw the close", closed, n)
}
