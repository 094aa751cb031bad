package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// bench-go digest DIRECTORY: the MD5 sums of all files below it, after the shape of the bounded program in the Go Blog's "Pipelines and
// cancellation": one goroutine walks, 20 digest whole files, the results are collected and sorted.
type sum struct {
	path string
	md5  [md5.Size]byte
	err  error
}

func walk(done <-chan struct{}, root string) (<-chan string, <-chan error) {
	paths, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(paths)
		failed <- filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			select {
			case paths <- path:
				return nil
			case <-done:
				return fmt.Errorf("the walk was ended")
			}
		})
	}()
	return paths, failed
}

func digester(done <-chan struct{}, paths <-chan string, sums chan<- sum) {
	for path := range paths {
		data, err := os.ReadFile(path)
		select {
		case sums <- sum{path, md5.Sum(data), err}:
		case <-done:
			return
		}
	}
}

func digest(root string) {
	const digesters = 20
	done := make(chan struct{})
	defer close(done)
	paths, failed := walk(done, root)
	sums := make(chan sum)
	var wg sync.WaitGroup
	wg.Add(digesters)
	for i := 0; i < digesters; i++ {
		go func() {
			digester(done, paths, sums)
			wg.Done()
		}()
	}
	go func() {
		wg.Wait()
		close(sums)
	}()
	all := map[string][md5.Size]byte{}
	for s := range sums {
		if s.err != nil {
			fail("%v", s.err)
		}
		all[s.path] = s.md5
	}
	if err := <-failed; err != nil {
		fail("%v", err)
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("%x  %s\n", all[name], name)
	}
}
