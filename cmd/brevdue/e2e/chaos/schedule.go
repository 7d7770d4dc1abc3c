package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	Kill       Kind = "kill"         // SIGKILL of a gateway process
	Pause      Kind = "pause"        // SIGSTOP of a gateway process, then SIGCONT
	LongPause  Kind = "long pause"   // the same for longer than the others wait before they take its letters over
	Stop       Kind = "stop"         // SIGTERM of a gateway process
	RedisKill  Kind = "redis kill"   // SIGKILL of Redis, then started on its append-only file
	RedisEmpty Kind = "redis empty"  // SIGKILL of Redis, then started with nothing
	RedisFlush Kind = "redis flush"  // FLUSHALL
	RedisPause Kind = "redis pause"  // SIGSTOP of Redis
	SQLKill    Kind = "sql kill"     // kill -9 of PostgreSQL and all its processes
	SQLRestart Kind = "sql restart"  // PostgreSQL stopped in order and started
	SQLPause   Kind = "sql pause"    // SIGSTOP of the postmaster: nobody new gets in
	BrokerKill Kind = "broker kill"  // SIGKILL of RabbitMQ
	BrokerStop Kind = "broker stop"  // RabbitMQ stopped in order and started
	DiskFull   Kind = "disk full"    // the file system of journal, documents, logs and Redis has no byte left
	Far503     Kind = "far 503"      // half of the calls are answered 503
	FarCut     Kind = "far cut"      // a quarter of the letters is accepted, and the connection cut before the answer
	FarBroken  Kind = "far broken"   // connections cut before anything was accepted
	FarToken   Kind = "far token"    // access tokens refused
	FarSlow    Kind = "far slow"     // every answer takes two seconds longer
	FarLate    Kind = "far late"     // statuses come later than they are waited for
	FarPause   Kind = "far pause"    // SIGSTOP of the far end
	FarTwice   Kind = "far twice"    // half of the statuses come twice
	MailRefuse Kind = "mail refuse"  // the mail server answers 421
	MailCut    Kind = "mail cut"     // the mail server takes the letter and cuts the connection before it says so
	CallRefuse Kind = "call refused" // the callback receiver answers 500
	CallLost   Kind = "call lost"    // the callback receiver takes the call and answers 500
	ClockAhead Kind = "clock ahead"  // the clock of a gateway process jumps 40 s ahead, and back
	ClockBack  Kind = "clock back"   // the same, back first
)

// Fault is one fault of a schedule.
type Fault struct {
	At   int           // how many letters have been handed in
	Kind Kind          //
	Node int           // which gateway process, where the kind means one
	For  time.Duration // how long it lasts
}

func (f Fault) String() string { return fmt.Sprintf("%d %s %d %s", f.At, f.Kind, f.Node, f.For) }

// choice is a kind with how often it is chosen beside others, and how long it lasts.
type choice struct {
	kind     Kind
	weight   int
	from, to time.Duration
}

const second = time.Second

// choices are the kinds that a world can have.
func choices(w world) []choice {
	all := []choice{
		{Kill, 6, 0, 3 * second}, {Pause, 3, second, 8 * second}, {Stop, 2, 0, second},
		{Far503, 2, second, 6 * second}, {FarCut, 3, second, 6 * second}, {FarBroken, 1, second, 4 * second},
		{FarToken, 1, second, 4 * second}, {FarSlow, 1, second, 6 * second}, {FarPause, 1, second, 5 * second},
		{FarTwice, 1, second, 8 * second}, {FarLate, 2, 2 * second, 8 * second},
		{MailRefuse, 1, second, 4 * second}, {MailCut, 1, second, 4 * second},
		{CallRefuse, 1, second, 3 * second}, {CallLost, 1, second, 3 * second},
	}
	if w.long {
		all = append(all, choice{LongPause, 1, 22 * second, 26 * second})
	}
	if w.redis {
		all = append(all, choice{RedisKill, 2, 0, 3 * second}, choice{RedisEmpty, 2, 0, 2 * second},
			choice{RedisFlush, 2, 0, 0}, choice{RedisPause, 2, second, 6 * second})
	}
	if w.postgres {
		all = append(all, choice{SQLKill, 3, 0, 2 * second}, choice{SQLRestart, 2, 0, second}, choice{SQLPause, 1, second, 5 * second})
	}
	if w.broker {
		all = append(all, choice{BrokerKill, 1, 0, 2 * second}, choice{BrokerStop, 1, 0, second})
	}
	if w.disk {
		all = append(all, choice{DiskFull, 2, second, 5 * second})
	}
	if w.clock {
		all = append(all, choice{ClockAhead, 1, 2 * second, 10 * second}, choice{ClockBack, 1, 2 * second, 10 * second})
	}
	return all
}

// world is what a schedule must know of the world.
type world struct {
	nodes                                      int
	redis, postgres, broker, disk, clock, long bool
}

// schedule throws the faults of a seed: about one every four seconds of the way, which is so many letters long, and none in
// its first and last twentieth. The same seed on the same kind of world gives the same faults.
func schedule(seed uint64, w world, letters int, d time.Duration) []Fault {
	dice := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable
	list, total := choices(w), 0
	for _, c := range list {
		total += c.weight
	}
	faults := make([]Fault, 0, 64)
	for range max(4, int(d/(4*second))) {
		n := dice.IntN(total)
		var c choice
		for _, c = range list {
			if n -= c.weight; n < 0 {
				break
			}
		}
		f := Fault{At: letters/20 + dice.IntN(max(1, letters*9/10)), Kind: c.kind, Node: dice.IntN(w.nodes), For: c.from}
		if c.to > c.from {
			f.For += time.Duration(dice.Int64N(int64(c.to - c.from))).Round(10 * time.Millisecond)
		}
		faults = append(faults, f)
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.At - b.At })
	return faults
}
