package main

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func sumBelow(n int) int64 { return int64(n) * int64(n-1) / 2 }

func up(n, by int) int { return (n + by - 1) / by }

func yield(n int) time.Duration {
	const goroutines = 100
	var count [goroutines]struct {
		n int64
		_ [56]byte
	}
	each := int64(up(n, goroutines))
	var wg sync.WaitGroup
	start := time.Now()
	wg.Add(goroutines)
	for i := range count {
		go func(n *int64) {
			for ; *n < each; *n++ {
				runtime.Gosched()
			}
			wg.Done()
		}(&count[i].n)
	}
	wg.Wait()
	took := time.Since(start)
	for i := range count {
		expect("count", count[i].n, each)
	}
	return took
}

func leaveMark(cell *uint32, wg *sync.WaitGroup) {
	*cell++
	wg.Done()
}

func startAndJoin(n, batch int) time.Duration {
	marks := make([]uint32, batch)
	start := time.Now()
	var wg sync.WaitGroup
	for left := n; left > 0; left -= batch {
		some := clamp(left, 0, batch)
		wg.Add(some)
		for i := range marks[:some] {
			go leaveMark(&marks[i], &wg)
		}
		wg.Wait()
	}
	took, sum := time.Since(start), int64(0)
	for _, m := range marks {
		sum += int64(m)
	}
	expect("marks", sum, int64(n))
	return took
}

func spawn1M() (float64, int64) {
	const n = 1000000
	return float64(startAndJoin(n, n)) / n, n
}

func pingPong(n int) time.Duration {
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
	took := time.Since(start)
	expect("value", v, int64(n))
	close(ping)
	return took
}

func produce(out chan<- int64, first, end int) {
	for i := first; i < end; i++ {
		out <- int64(i)
	}
}

func oneProducer(n, capacity int) time.Duration {
	c := make(chan int64, capacity)
	start := time.Now()
	go produce(c, 0, n)
	sum := int64(0)
	for i := 0; i < n; i++ {
		sum += <-c
	}
	took := time.Since(start)
	expect("sum", sum, sumBelow(n))
	return took
}

func many(n, nSenders, nReceivers, capacity int) time.Duration {
	each, c, sums := up(n, nSenders), make(chan int64, capacity), make([]int64, nReceivers)
	var senders, receivers sync.WaitGroup
	senders.Add(nSenders)
	receivers.Add(nReceivers)
	start := time.Now()
	for i := range sums {
		go func(sum *int64) {
			own := int64(0)
			for v := range c {
				own += v
			}
			*sum = own
			receivers.Done()
		}(&sums[i])
	}
	for i := 0; i < nSenders; i++ {
		go func(i int) {
			produce(c, i*each, (i+1)*each)
			senders.Done()
		}(i)
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	took, sum := time.Since(start), int64(0)
	for _, s := range sums {
		sum += s
	}
	expect("sum", sum, sumBelow(nSenders*each))
	return took
}

func passOn(in <-chan int64, out chan<- int64, laps int) {
	for i := 0; i < laps; i++ {
		out <- <-in + 1
	}
}

func ring(n int) time.Duration {
	const nodes = 1000
	laps := up(n, nodes)
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
	took := time.Since(start)
	expect("value", v, int64(laps*nodes))
	return took
}

// As many pairs of sender and receiver as workers, each with a channel of its own.
func pairs(n, capacity int) time.Duration {
	workers := runtime.GOMAXPROCS(0)
	each := up(n, workers)
	var wg sync.WaitGroup
	wg.Add(workers)
	start := time.Now()
	for i := 0; i < workers; i++ {
		go func() {
			c, sum := make(chan int64, capacity), int64(0)
			go produce(c, 0, each)
			for i := 0; i < each; i++ {
				sum += <-c
			}
			expect("sum", sum, sumBelow(each))
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(start)
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

func sieve() (float64, int64) {
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
	return time.Since(start).Seconds() * 1e3, prime
}

func feed(out chan<- int64, n int) {
	for i := 1; i <= n; i++ {
		out <- int64(i)
	}
}

func select2(n int) time.Duration {
	each, a, b := up(n, 2), make(chan int64), make(chan int64)
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
	return time.Since(start)
}

func select8(n int) time.Duration {
	const channels = 8
	each := up(n, channels)
	var c [channels]chan int64
	start := time.Now()
	for i := range c {
		c[i] = make(chan int64)
		go feed(c[i], each)
	}
	var last [channels]int64
	for i := 0; i < channels*each; i++ {
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
	return time.Since(start)
}

func select64(n int) time.Duration {
	const channels = 64
	each := up(n, channels)
	var cases [channels]reflect.SelectCase
	start := time.Now()
	for i := range cases {
		c := make(chan int64)
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
		go feed(c, each)
	}
	var last [channels]int64
	for i := 0; i < channels*each; i++ {
		from, v, _ := reflect.Select(cases[:])
		last[from]++
		expect("value", v.Int(), last[from])
	}
	return time.Since(start)
}

// n operations shared out, in portions, among that many goroutines, as testing's RunParallel does it.
type portion struct {
	taken   *int64
	n, left int64
}

func (p *portion) next() bool {
	if p.left == 0 {
		size := int64(aPortion)
		first := atomic.AddInt64(p.taken, size) - size
		if first >= p.n {
			return false
		}
		if p.left = size; p.n-first < size {
			p.left = p.n - first
		}
	}
	p.left--
	return true
}

func inParallel(n, goroutines int, body func(p *portion)) time.Duration {
	var taken int64
	var wg sync.WaitGroup
	wg.Add(goroutines)
	start := time.Now()
	for i := 0; i < goroutines; i++ {
		go func() {
			body(&portion{taken: &taken, n: int64(n)})
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(start)
}

// Goroutines that receive from a channel each, and all look at one that says when to end (golang/go#20351); as do those that send.
func doneAmong(n, receivers int) time.Duration {
	done := make(chan struct{})
	var senders sync.WaitGroup
	took := inParallel(n, receivers, func(p *portion) {
		c := make(chan int64)
		senders.Add(1)
		go func() {
			defer senders.Done()
			for i := int64(1); ; i++ {
				select {
				case c <- i:
				case <-done:
					return
				}
			}
		}()
		for last := int64(1); p.next(); last++ {
			select {
			case v := <-c:
				expect("value", v, last)
			case <-done:
				fail("done too early")
			}
		}
	})
	close(done)
	senders.Wait()
	return took
}
