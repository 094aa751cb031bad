package main

import (
	"bufio"
	"os"
	"runtime"
	"sync"
	"time"
)

// The stages of the Book ("Concurrency in Go", its chapter on patterns), as it writes them, with a type parameter.

func repeat[T any](done <-chan struct{}, values ...T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for {
			for _, v := range values {
				select {
				case <-done:
					return
				case out <- v:
				}
			}
		}
	}()
	return out
}

func repeatFn[T any](done <-chan struct{}, fn func() T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for {
			select {
			case <-done:
				return
			case out <- fn():
			}
		}
	}()
	return out
}

func take[T any](done <-chan struct{}, in <-chan T, n int) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for i := 0; i < n; i++ {
			select {
			case <-done:
				return
			case out <- <-in:
			}
		}
	}()
	return out
}

func toString(done <-chan struct{}, in <-chan interface{}) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for v := range in {
			select {
			case <-done:
				return
			case out <- v.(string):
			}
		}
	}()
	return out
}

func numbers(done <-chan struct{}, from, to int64) <-chan int64 {
	out := make(chan int64)
	go func() {
		defer close(out)
		for v := from; v < to; v++ {
			select {
			case <-done:
				return
			case out <- v:
			}
		}
	}()
	return out
}

// With room for that many values behind it.
func mapTo(done <-chan struct{}, in <-chan int64, room int, fn func(int64) int64) <-chan int64 {
	out := make(chan int64, room)
	go func() {
		defer close(out)
		for v := range in {
			select {
			case <-done:
				return
			case out <- fn(v):
			}
		}
	}()
	return out
}

func fanIn[T any](done <-chan struct{}, channels ...<-chan T) <-chan T {
	var wg sync.WaitGroup
	out := make(chan T)
	multiplex := func(c <-chan T) {
		defer wg.Done()
		for v := range c {
			select {
			case <-done:
				return
			case out <- v:
			}
		}
	}
	wg.Add(len(channels))
	for _, c := range channels {
		go multiplex(c)
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	return out
}

func orDone[T any](done <-chan struct{}, c <-chan T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for {
			select {
			case <-done:
				return
			case v, ok := <-c:
				if !ok {
					return
				}
				select {
				case out <- v:
				case <-done:
				}
			}
		}
	}()
	return out
}

func tee[T any](done <-chan struct{}, in <-chan T) (<-chan T, <-chan T) {
	out1, out2 := make(chan T), make(chan T)
	go func() {
		defer close(out1)
		defer close(out2)
		for v := range orDone(done, in) {
			var out1, out2 = out1, out2
			for i := 0; i < 2; i++ {
				select {
				case <-done:
				case out1 <- v:
					out1 = nil
				case out2 <- v:
					out2 = nil
				}
			}
		}
	}()
	return out1, out2
}

// n workers; results in the order of the input, of at most `window` items at a time.
func parallelMap(done <-chan struct{}, in <-chan int64, n, window int, fn func(int64) int64) <-chan int64 {
	type job struct {
		value  int64
		result chan int64
	}
	jobs, pending, out := make(chan job), make(chan chan int64, window), make(chan int64)
	for i := 0; i < n; i++ {
		go func() {
			for j := range jobs {
				j.result <- fn(j.value)
			}
		}()
	}
	go func() {
		defer close(jobs)
		defer close(pending)
		for v := range in {
			j := job{v, make(chan int64, 1)}
			select {
			case <-done:
				return
			case pending <- j.result:
			}
			select {
			case <-done:
				return
			case jobs <- j:
			}
		}
	}()
	go func() {
		defer close(out)
		for result := range pending {
			select {
			case <-done:
				return
			case v := <-result:
				select {
				case <-done:
					return
				case out <- v:
				}
			}
		}
	}()
	return out
}

// What is measured.

func pipeline(n int) time.Duration {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range take(done, repeat(done, int64(1)), n) {
		sum += v
	}
	took := time.Since(start)
	expect("sum", sum, int64(n))
	return took
}

func pipelineAny(n int) time.Duration {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range toString(done, take(done, repeat[interface{}](done, "a"), n)) {
		sum += int64(v[0])
	}
	took := time.Since(start)
	expect("sum", sum, 'a'*int64(n))
	return took
}

func pipelineTyped(n int) time.Duration {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range take(done, repeat(done, "a"), n) {
		sum += int64(v[0])
	}
	took := time.Since(start)
	expect("sum", sum, 'a'*int64(n))
	return took
}

func pipelineMaps(n int) time.Duration {
	multiply := func(v int64) int64 { return v * 2 }
	add := func(v int64) int64 { return v + 1 }
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range mapTo(done, mapTo(done, mapTo(done, numbers(done, 0, int64(n)), 0, multiply), 0, add), 0, multiply) {
		sum += v
	}
	took := time.Since(start)
	expect("sum", sum, 4*sumBelow(n)+2*int64(n))
	return took
}

func effects10(n int) time.Duration {
	const room = 64
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	step := func(v int64) int64 { return v + 1 }
	in := mapTo(done, numbers(done, 0, int64(n)), room, step)
	for i := 1; i < 10; i++ {
		in = mapTo(done, in, room, step)
	}
	for v := range in {
		sum += v
	}
	took := time.Since(start)
	expect("sum", sum, sumBelow(n)+10*int64(n))
	return took
}

func bufferedWrite(n int) time.Duration {
	file, err := os.CreateTemp("", "bench")
	if err != nil {
		fail("%v", err)
	}
	defer file.Close()
	os.Remove(file.Name())
	done := make(chan struct{})
	defer close(done)
	start, w := time.Now(), bufio.NewWriter(file)
	for b := range take(done, repeat(done, byte(0)), n) {
		w.WriteByte(b)
	}
	if err := w.Flush(); err != nil {
		fail("%v", err)
	}
	took := time.Since(start)
	info, err := file.Stat()
	if err != nil {
		fail("%v", err)
	}
	expect("size", info.Size(), int64(n))
	return took
}

func merge10(n int) time.Duration {
	const channels = 10
	each := int64(up(n, channels))
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	var in [channels]<-chan int64
	for i := range in {
		in[i] = numbers(done, int64(i)*each, int64(i+1)*each)
	}
	for v := range fanIn(done, in[:]...) {
		sum += v
	}
	took := time.Since(start)
	expect("sum", sum, sumBelow(int(channels*each)))
	return took
}

func tee2(n int) time.Duration {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	out1, out2 := tee(done, take(done, repeat[int64](done, 1, 2), n))
	for v := range out1 {
		sum += v - 2*<-out2
	}
	took := time.Since(start)
	expect("sum", sum, -int64(n+n/2))
	return took
}

// About a microsecond.
func scramble(v int64) int64 {
	x := uint64(v) + 1
	for i := 0; i < 400; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return int64(x >> 32)
}

func scrambleInParallel() (float64, int64) {
	const n = 200000
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range parallelMap(done, numbers(done, 0, n), 4, 64, scramble) {
		sum = sum*31 + v // which tells one order from another
	}
	return float64(time.Since(start)) / n, sum
}

func primeFinder(done <-chan struct{}, in <-chan int32) <-chan int32 {
	out := make(chan int32)
	go func() {
		defer close(out)
		for n := range in {
			prime := n > 1
			for divisor := int32(2); divisor < n; divisor++ {
				if n%divisor == 0 {
					prime = false
					break
				}
			}
			if prime {
				select {
				case <-done:
					return
				case out <- n:
				}
			}
		}
	}()
	return out
}

func primes() (float64, int64) {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	state := uint32(1)
	candidates := take(done, repeatFn(done, func() int32 {
		state = state*1664525 + 1013904223
		return int32(state >> 12)
	}), 500)
	finders := make([]<-chan int32, runtime.GOMAXPROCS(0))
	for i := range finders {
		finders[i] = primeFinder(done, candidates)
	}
	for prime := range fanIn(done, finders...) {
		sum += int64(prime)
	}
	return time.Since(start).Seconds() * 1e3, sum
}
