// Goroutines that wait for ever, as many again in each step, and the memory after it.
//
//	goroutines COUNT STEPS [frame]
//
// With the word frame each keeps an array of 2,000 bytes on its stack while it waits.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

var running sync.WaitGroup

func plain(never <-chan int) {
	running.Done()
	<-never
}

func framed(never <-chan int) {
	var kept [2_000]byte
	kept[len(os.Args)] = 1
	running.Done()
	fmt.Print(kept[<-never])
}

// What Go's runtime has got from the system, and what of the process is in physical memory.
func memory() (sys, resident uint64) {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	text, _ := os.ReadFile("/proc/self/smaps_rollup")
	_, after, found := strings.Cut(string(text), "Rss:")
	if !found {
		return stats.Sys, 0
	}
	kibibytes, _ := strconv.ParseUint(strings.Fields(after)[0], 10, 64)
	return stats.Sys, 1024 * kibibytes
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	steps, _ := strconv.Atoi(os.Args[2])
	body := plain
	if len(os.Args) > 3 && os.Args[3] == "frame" {
		body = framed
	}

	never := make(chan int)
	for step := 0; step <= steps; step++ {
		running.Add(count)
		for i := 0; i < count; i++ {
			go body(never)
		}
		running.Wait()
		sys, resident := memory()
		fmt.Println("sys", (step+1)*count, sys)
		if resident > 0 {
			fmt.Println("reading", (step+1)*count, resident)
		}
	}
	fmt.Println(runtime.Version())
}
