package main

import "time"

// The Book's typed pipeline: repeat, take and range, over unbuffered channels.
func repeat(done <-chan struct{}, value int64) <-chan int64 {
	out := make(chan int64)
	go func() {
		defer close(out)
		for {
			select {
			case <-done:
				return
			case out <- value:
			}
		}
	}()
	return out
}

func take(done <-chan struct{}, in <-chan int64, n int) <-chan int64 {
	out := make(chan int64)
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

func pipeline(n int) time.Duration {
	done := make(chan struct{})
	defer close(done)
	start, sum := time.Now(), int64(0)
	for v := range take(done, repeat(done, 1), n) {
		sum += v
	}
	took := time.Since(start)
	expect("sum", sum, int64(n))
	return took
}
