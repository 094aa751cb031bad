package main

import (
	"sync"
	"time"
)

func mutex(n, goroutines int) time.Duration {
	each := up(n, goroutines)
	var m sync.Mutex
	var wg sync.WaitGroup
	count := int64(0)
	start := time.Now()
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			for i := 0; i < each; i++ {
				m.Lock()
				count++
				m.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	took := time.Since(start)
	expect("count", count, int64(goroutines*each))
	return took
}

type table struct {
	m     sync.RWMutex
	cells [16]int64
}

func (t *table) lookUp(times, writeEvery int) {
	for i := 1; i <= times; i++ {
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

func rwmutex(n, goroutines, writeEvery int) time.Duration {
	each := up(n, goroutines)
	var t table
	var wg sync.WaitGroup
	start := time.Now()
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			t.lookUp(each, writeEvery)
			wg.Done()
		}()
	}
	wg.Wait()
	took := time.Since(start)
	expect("cell", t.cells[0], int64(goroutines*(each/writeEvery)))
	return took
}

func condPingPong(n int) time.Duration {
	var m sync.Mutex
	turn := [2]*sync.Cond{sync.NewCond(&m), sync.NewCond(&m)}
	var wg sync.WaitGroup
	count := 0
	start := time.Now()
	wg.Add(2)
	for me := 0; me < 2; me++ {
		go func(me int) {
			m.Lock()
			for count < 2*n {
				for count%2 != me && count < 2*n {
					turn[me].Wait()
				}
				if count < 2*n {
					count++
				}
				turn[1-me].Signal()
			}
			m.Unlock()
			wg.Done()
		}(me)
	}
	wg.Wait()
	took := time.Since(start)
	expect("turns", int64(count), int64(2*n))
	return took
}
