package retention

import (
	"errors"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Periods are how long each stage is kept after the final status; zero: for good.
type Periods struct {
	Documents   time.Duration
	Content     time.Duration
	Identifiers time.Duration
}

// Of is the period of a stage.
func (p Periods) Of(stage gateway.Stage) time.Duration {
	switch stage {
	case gateway.EraseDocuments:
		return p.Documents
	case gateway.EraseContent:
		return p.Content
	case gateway.EraseIdentifiers:
		return p.Identifiers
	default:
		return 0
	}
}

// Check refuses periods that are negative, and a stage that would have to go before the one before it: documents go first, then
// content, then identifiers.
func (p Periods) Check() error {
	var before time.Duration
	for n, stage := range gateway.Stages() {
		d := p.Of(stage)
		switch {
		case d < 0:
			return fmt.Errorf("%s: a period is not negative", stage)
		case d == 0:
		case n > 0 && before == 0:
			return fmt.Errorf("%s: has a period, and %s, which go first, have none", stage, stage-1)
		case d < before:
			return fmt.Errorf("%s: are kept for less than %s, which go first", stage, stage-1)
		}
		before = d
	}
	return nil
}

// Policy is how long everything is kept.
type Policy struct {
	Default Periods            // of the letters of senders that have none of their own
	Senders map[string]Periods // by name of the sender profile
	Inbound Periods            // of inbound post, from when it was delivered or closed
	Uploads time.Duration      // documents that were handed in ahead, from then; zero: for good
}

// Of are the periods of a sender's letters.
func (p *Policy) Of(sender string) Periods {
	if own, has := p.Senders[sender]; has {
		return own
	}
	return p.Default
}

// Empty reports whether nothing is ever erased.
func (p *Policy) Empty() bool {
	for _, own := range p.Senders {
		if own != (Periods{}) {
			return false
		}
	}
	return p.Default == Periods{} && p.Inbound == Periods{} && p.Uploads == 0
}

// Check refuses what [Periods.Check] refuses.
func (p *Policy) Check() error {
	if err := p.Default.Check(); err != nil {
		return fmt.Errorf("default.%w", err)
	}
	if err := p.Inbound.Check(); err != nil {
		return fmt.Errorf("inbound.%w", err)
	}
	for name, own := range p.Senders {
		if err := own.Check(); err != nil {
			return fmt.Errorf("senders.%s.%w", name, err)
		}
	}
	if p.Uploads < 0 {
		return errors.New("uploads: a period is not negative")
	}
	return nil
}
