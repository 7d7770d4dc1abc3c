package registration

import "time"

// answers keeps what the far end said, at most max entries. All live equally long, so the oldest is the first to
// lapse, and a queue in the order of arrival is all the bookkeeping there is.
type answers struct {
	max   int
	byKey map[key]answer
	order []slot // oldest first; a slot whose answer has been renewed since is stale
}

type answer struct {
	until      int64 // Unix nanoseconds
	registered bool
}

type slot struct {
	key   key
	until int64
}

// get returns an answer that has not lapsed at now.
func (a *answers) get(k key, now time.Time) (registered, found bool) {
	kept, found := a.byKey[k]
	if !found || now.UnixNano() >= kept.until {
		return false, false
	}
	return kept.registered, true
}

// put keeps an answer until a moment, and drops what has lapsed at now or is too much.
func (a *answers) put(k key, registered bool, now, until time.Time) {
	if a.byKey == nil {
		a.byKey = make(map[key]answer)
	}
	a.byKey[k] = answer{until: until.UnixNano(), registered: registered}
	a.order = append(a.order, slot{key: k, until: until.UnixNano()})
	for len(a.order) > a.max || a.order[0].until <= now.UnixNano() {
		oldest := a.order[0]
		if a.byKey[oldest.key].until == oldest.until {
			delete(a.byKey, oldest.key)
		}
		a.order = a.order[1:] // append moves the slice now and then, so the head is freed
	}
}
