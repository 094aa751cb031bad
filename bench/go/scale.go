package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A line of /proc/self/status, in bytes.
func memory(field string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail("%v", err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == field+":" {
			kib, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				fail("%v", err)
			}
			return kib * 1024
		}
	}
	fail("no %s", field)
	return 0
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

func skynet() (float64, int64) {
	start := time.Now()
	c := make(chan int64)
	go node(c, 0, 1000000)
	sum := <-c
	return time.Since(start).Seconds() * 1e3, sum
}

func skynetPeak() (float64, int64) {
	_, sum := skynet()
	return memory("VmHWM") / 1e6, sum
}

func sleepers() (float64, int64) {
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
	return (time.Since(start).Seconds() - 0.1) * 1e3, done
}

func parkMany(n int64) (float64, int64) {
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
	bytes := (memory("VmRSS") + memory("VmPTE") - before) / float64(n)
	close(c)
	wg.Wait()
	return bytes, closed
}

type tree struct{ waiting, ended int64 }

func (t *tree) branch(ctx context.Context, leaves int64) {
	if leaves == 1 {
		atomic.AddInt64(&t.waiting, 1)
		<-ctx.Done()
		atomic.AddInt64(&t.ended, 1)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Add(10)
	for i := 0; i < 10; i++ {
		go func() {
			t.branch(ctx, leaves/10)
			wg.Done()
		}()
	}
	wg.Wait()
}

// Contexts in a tree with ten below each, and 100,000 goroutines that wait in its leaves: from the cancel of the root until all have ended.
func cancelTree() (float64, int64) {
	const leaves = 100000
	var t tree
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		t.branch(ctx, leaves)
		close(ended)
	}()
	for atomic.LoadInt64(&t.waiting) < leaves {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	start := time.Now()
	cancel()
	<-ended
	return time.Since(start).Seconds() * 1e3, t.ended
}

// What one start takes while a million others are runnable: the median of a thousand.
func spawnCrowded() (float64, int64) {
	const others, starts = 1000000, 1000
	var took [starts]int
	var marks [starts]uint32
	var end uint32
	var wg sync.WaitGroup
	wg.Add(others + starts)
	for i := 0; i < others; i++ {
		go func() {
			for atomic.LoadUint32(&end) == 0 {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	for i := range marks {
		start := time.Now()
		go leaveMark(&marks[i], &wg)
		took[i] = int(time.Since(start))
	}
	atomic.StoreUint32(&end, 1)
	wg.Wait()
	sum := int64(0)
	for _, m := range marks {
		sum += int64(m)
	}
	sort.Ints(took[:])
	return float64(took[starts/2]), sum
}
