// A panic between two writes that belong together, caught by the caller.
package main

import (
	"fmt"
	"sync"
)

type Office struct {
	mu         sync.Mutex
	sold, left int
}

func (o *Office) sell() {
	o.mu.Lock()
	defer o.mu.Unlock() // when the function returns or panics
	o.sold++
	fail()
	o.left--
}

func (o *Office) sellWithoutDefer() {
	o.mu.Lock()
	o.sold++
	fail()
	o.left--
	o.mu.Unlock() // when nothing went wrong
}

func fail() { panic("halfway") }

func try(lock string, sell func(*Office)) {
	office := &Office{left: 100}
	func() {
		defer func() { recover() }() // the program goes on
		sell(office)
	}()
	if office.mu.TryLock() {
		fmt.Printf("%s\ta guard\t(%d, %d)\n", lock, office.sold, office.left)
	} else {
		fmt.Printf("%s\tnothing: it is still locked\tout of reach\n", lock)
	}
}

func main() {
	try("Go, defer Unlock", (*Office).sell)
	try("Go, Unlock as the last line", (*Office).sellWithoutDefer)
}
