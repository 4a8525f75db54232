// A counter that goroutines share, timed in several designs.
//
//	designs HOLD THINK CALLERS SAMPLES MILLISECONDS SEED DESIGN...
//
// HOLD and THINK are nanoseconds of work inside an addition and between two of them. For each
// design there are two lines of samples, in nanoseconds of wall time for an addition: `1-` with
// GOMAXPROCS=1, `all-` with as many as there are cores; and two more, `-late`, with the share of
// the time that passed after the last call had returned. Every sample has a counter of its own,
// whose total must be the number of calls.
package main

import (
	"fmt"
	"math/bits"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A counter gives each caller its way to add one; total waits for what is still under way.
type counter struct {
	caller func() func()
	total  func() int
}

// The addition is done when the call returns: a lock.
func mutex(hold func()) counter {
	var mu sync.Mutex
	value := 0
	add := func() {
		mu.Lock()
		defer mu.Unlock()
		value++
		hold()
	}
	return counter{func() func() { return add }, func() int { return value }}
}

// The addition is done when the call returns: the number lies in a channel, and who takes it out
// has it alone.
func token(hold func()) counter {
	place := make(chan int, 1)
	place <- 0
	add := func() {
		value := <-place
		hold()
		place <- value + 1
	}
	return counter{func() func() { return add }, func() int { return <-place }}
}

// The addition is done when the call returns: a goroutine owns the number, and replies.
func ask(hold func()) counter {
	requests := make(chan chan int)
	done := make(chan int)
	go func() {
		value := 0
		for reply := range requests {
			value++
			hold()
			reply <- value
		}
		done <- value
	}()
	caller := func() func() {
		reply := make(chan int)
		return func() {
			requests <- reply
			<-reply
		}
	}
	return counter{caller, func() int { close(requests); return <-done }}
}

// The addition is done later: a goroutine owns the number, and does not reply.
func send(capacity int) func(func()) counter {
	return func(hold func()) counter {
		requests := make(chan int, capacity)
		done := make(chan int)
		go func() {
			value := 0
			for one := range requests {
				value += one
				hold()
			}
			done <- value
		}()
		add := func() { requests <- 1 }
		return counter{func() func() { return add }, func() int { close(requests); return <-done }}
	}
}

// The addition is done later: the same owner behind a lock around a queue of at most 64.
func queue(hold func()) counter {
	const most = 64
	var mu sync.Mutex
	filled, emptied := sync.NewCond(&mu), sync.NewCond(&mu)
	var waiting [most]int
	first, count, closed := 0, 0, false
	done := make(chan int)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		for count == 0 && !closed {
			filled.Wait()
		}
		if count == 0 {
			return 0, false
		}
		one := waiting[first]
		first, count = (first+1)%most, count-1
		emptied.Signal()
		return one, true
	}
	go func() {
		value := 0
		for one, open := take(); open; one, open = take() {
			value += one
			hold()
		}
		done <- value
	}()
	add := func() {
		mu.Lock()
		defer mu.Unlock()
		for count == most {
			emptied.Wait()
		}
		waiting[(first+count)%most] = 1
		count++
		filled.Signal()
	}
	total := func() int {
		mu.Lock()
		closed = true
		mu.Unlock()
		filled.Signal()
		return <-done
	}
	return counter{func() func() { return add }, total}
}

// A number and a lock for each caller, on cache lines of their own.
func apart(hold func()) counter {
	type shard struct {
		mu    sync.Mutex
		value int
		_     [128]byte
	}
	var shards []*shard
	caller := func() func() {
		own := new(shard)
		shards = append(shards, own)
		return func() {
			own.mu.Lock()
			defer own.mu.Unlock()
			own.value++
			hold()
		}
	}
	total := func() int {
		sum := 0
		for _, one := range shards {
			sum += one.value
		}
		return sum
	}
	return counter{caller, total}
}

// An atomic addition. It guards the number and nothing else: hold runs on all cores at once.
func atomicAdd(hold func()) counter {
	var value atomic.Int64
	add := func() {
		value.Add(1)
		hold()
	}
	return counter{func() func() { return add }, func() int { return int(value.Load()) }}
}

// A message that a caller sends to itself.
func message(hold func()) counter {
	values := []*int{}
	caller := func() func() {
		self, value := make(chan int, 1), new(int)
		values = append(values, value)
		return func() {
			self <- 1
			*value += <-self
			hold()
		}
	}
	total := func() int {
		sum := 0
		for _, value := range values {
			sum += *value
		}
		return sum
	}
	return counter{caller, total}
}

var designs = map[string]func(func()) counter{
	"mutex": mutex, "token": token, "ask": ask, "apart": apart, "atomic": atomicAdd,
	"message": message, "queue": queue, "send0": send(0), "send1": send(1), "send64": send(64),
	"send100000": send(100_000),
}

// Turns that keep a core busy and touch no memory: each needs the one before.
//
//go:noinline
func spin(turns int) uint64 {
	state := uint64(1)
	for range turns {
		state = bits.RotateLeft64(state+0x9E3779B97F4A7C15, 23)
	}
	return state
}

// Work of a known length: so many turns take so many nanoseconds, by the fastest of many tries.
func work(ns int) func() {
	if ns == 0 {
		return func() {}
	}
	fastest := func(turns int) float64 {
		const together = 10
		best := time.Hour
		for range 200 {
			start := time.Now()
			for range together {
				spin(turns)
			}
			best = min(best, time.Since(start))
		}
		return float64(best.Nanoseconds()) / together
	}
	const few, many = 64, 2_048
	turn := (fastest(many) - fastest(few)) / (many - few)
	turns := max(1, int((float64(ns)-fastest(few))/turn)+few)
	return func() { spin(turns) }
}

// One sample: nanoseconds for an addition, and the share of the time after the last call.
func sample(design func(func()) counter, hold, think func(), callers, batch int, whole time.Duration) (float64, float64) {
	runtime.GC()
	counted := design(hold)
	calls, ends := make([]int, callers), make([]time.Duration, callers)
	// They begin together: the last one to arrive starts the clock, and the others look out for it.
	var arrived atomic.Int64
	var open atomic.Bool
	var start time.Time
	var returned sync.WaitGroup
	for nth := range callers {
		add := counted.caller()
		returned.Add(1)
		go func() {
			defer returned.Done()
			if arrived.Add(1) == int64(callers) {
				start = time.Now()
				open.Store(true)
			}
			for !open.Load() {
				runtime.Gosched()
			}
			for time.Since(start) < whole || calls[nth] == 0 {
				for range batch {
					add()
					think()
				}
				calls[nth] += batch
			}
			ends[nth] = time.Since(start)
		}()
	}
	returned.Wait()
	asked := time.Since(start)
	total := counted.total()
	late := time.Since(start) - asked
	sum, wall := 0, time.Duration(0)
	for nth := range callers {
		sum += calls[nth]
		wall += ends[nth] / time.Duration(callers)
	}
	if total != sum {
		fmt.Fprintf(os.Stderr, "the total is %d after %d calls\n", total, sum)
		os.Exit(1)
	}
	wall += late
	return float64(wall.Nanoseconds()) / float64(sum), float64(late) / float64(wall)
}

func main() {
	if len(os.Args) < 8 {
		fmt.Fprintln(os.Stderr, "designs HOLD THINK CALLERS SAMPLES MILLISECONDS SEED DESIGN...")
		os.Exit(1)
	}
	var numbers [6]int
	for place := range numbers {
		number, wrong := strconv.Atoi(os.Args[1+place])
		if wrong != nil || number < 0 {
			fmt.Fprintln(os.Stderr, "not a number from 0 on:", os.Args[1+place])
			os.Exit(1)
		}
		numbers[place] = number
	}
	holdNs, thinkNs, callers, samples := numbers[0], numbers[1], numbers[2], numbers[3]
	whole := time.Duration(numbers[4]) * time.Millisecond
	random := rand.New(rand.NewSource(int64(numbers[5])))
	batch := max(1, 20_000/(holdNs+thinkNs+200))
	hold, think := work(holdNs), work(thinkNs)
	cores := runtime.NumCPU()

	type condition struct {
		name, design string
		processors   int
	}
	var conditions []condition
	for _, design := range os.Args[7:] {
		if designs[design] == nil {
			fmt.Fprintln(os.Stderr, "no design is called", design)
			os.Exit(1)
		}
		conditions = append(conditions, condition{"1-" + design, design, 1})
		conditions = append(conditions, condition{"all-" + design, design, cores})
	}
	costs, lates := map[string][]float64{}, map[string][]float64{}
	for round := range samples + 1 {
		random.Shuffle(len(conditions), func(i, j int) {
			conditions[i], conditions[j] = conditions[j], conditions[i]
		})
		for _, one := range conditions {
			runtime.GOMAXPROCS(one.processors)
			cost, late := sample(designs[one.design], hold, think, callers, batch, whole)
			if round > 0 { // the first one warms up
				costs[one.name] = append(costs[one.name], cost)
				lates[one.name] = append(lates[one.name], late)
			}
		}
	}
	fmt.Println(runtime.Version(), "cores", cores, "hold", holdNs, "think", thinkNs,
		"callers", callers, "samples", samples, "of", whole, "seed", numbers[5])
	for _, one := range conditions {
		fmt.Print(one.name)
		for _, cost := range costs[one.name] {
			fmt.Printf(" %.4g", cost)
		}
		fmt.Printf("\n%s-late", one.name)
		for _, late := range lates[one.name] {
			fmt.Printf(" %.3f", late)
		}
		fmt.Println()
	}
}
