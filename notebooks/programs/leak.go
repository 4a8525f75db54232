// Goroutines that wait on a channel into which nobody writes, and what becomes of them.
//
//	leak COUNT forget
//	leak COUNT close
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

// Runs the collector, and says how many goroutines there are besides this one, and how many of
// them the collector calls leaked: nothing that runs can ever reach what they wait for.
func tell(step string) {
	runtime.GC()
	fmt.Println(step, "alive", runtime.NumGoroutine()-1)
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return // Go before 1.27 asks only in an experiment
	}
	profile.WriteTo(io.Discard, 0)
	fmt.Println(step, "leaked", profile.Count())
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	never, running := make(chan int), make(chan bool)
	for i := 0; i < count; i++ {
		go func() {
			running <- true
			<-never
		}()
	}
	for i := 0; i < count; i++ {
		<-running
	}
	tell("held")
	if os.Args[2] == "close" {
		close(never)
		for i := 0; i < 1_000 && runtime.NumGoroutine() > 1; i++ {
			time.Sleep(10 * time.Millisecond)
		}
		tell("closed")
	} else {
		never = nil // its only name
		tell("forgotten")
	}
}
