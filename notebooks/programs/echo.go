// A server that sends back what it reads, with one goroutine and one buffer for each connection.
//
//	echo COUNT STEPS
//
// Both ends stand in this process. A client says one word, hears it, and is silent from then on.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

func handle(connection net.Conn) {
	buffer := make([]byte, 4_096)
	for {
		length, err := connection.Read(buffer)
		if err != nil {
			return
		}
		connection.Write(buffer[:length])
	}
}

// A client is the bare number of an open file, which takes no memory in this process.
func talk(port int) {
	client, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		fail(err)
	}
	address := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Connect(client, address); err != nil {
		fail(err)
	}
	syscall.Write(client, []byte("word"))
	heard := make([]byte, 4)
	if length, err := syscall.Read(client, heard); err != nil || string(heard[:length]) != "word" {
		fail(fmt.Errorf("the server does not answer: %v", err))
	}
}

func fail(why error) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	steps, _ := strconv.Atoi(os.Args[2])
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				fail(err)
			}
			go handle(connection)
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	// The first ones take more, until Go has stacks in store; so six portions come before the first reading.
	for step := -5; step <= steps; step++ {
		for i := 0; i < count; i++ {
			talk(port)
		}
		runtime.GC()
		if step < 0 {
			continue
		}
		text, _ := os.ReadFile("/proc/self/smaps_rollup")
		if _, after, found := strings.Cut(string(text), "Rss:"); found {
			kibibytes, _ := strconv.Atoi(strings.Fields(after)[0])
			fmt.Println("reading", (step+6)*count, 1024*kibibytes)
		}
	}
}
