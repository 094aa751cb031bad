package main

import (
	"fmt"
	"net"
)

// An echo server: a goroutine a connection. bench/tcp/load.c runs it; it serves until it is killed. (Go's net sets TCP_NODELAY itself.)
func serve() (float64, int64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		c, err := listener.Accept()
		if err != nil {
			fail("%v", err)
		}
		go func() {
			defer c.Close()
			buffer := make([]byte, 4096)
			for {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				if _, err = c.Write(buffer[:n]); err != nil {
					return
				}
			}
		}()
	}
}
