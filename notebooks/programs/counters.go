// Two goroutines add to one counter; printed is how many additions were lost.
//
//	counters plain|steps|guarded
package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

const each = 500_000

type Counter struct {
	mu    sync.Mutex
	value int64
}

// Plain forgets the lock, and compiles.
func (c *Counter) Plain() { c.value++ }

// Steps reads, then writes. Each step is atomic, and the lock is forgotten here, too.
func (c *Counter) Steps() {
	seen := atomic.LoadInt64(&c.value)
	atomic.StoreInt64(&c.value, seen+1)
}

func (c *Counter) Guarded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value++
}

func main() {
	counter := &Counter{}
	ways := map[string]func(){
		"plain":   counter.Plain,
		"steps":   counter.Steps,
		"guarded": counter.Guarded,
	}
	increment := ways[os.Args[1]]
	var both sync.WaitGroup
	both.Add(2)
	for range 2 {
		go func() {
			defer both.Done()
			for range each {
				increment()
			}
		}()
	}
	both.Wait()
	fmt.Println("lost", 2*each-counter.value)
}
