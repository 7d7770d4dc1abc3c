package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Statuses is what the pages about messages and statuses ask the gateway; *gateway.Gateway is one.
type Statuses interface { //nolint:interfacebloat // one use case a table or form
	Health(ctx context.Context) (*gateway.Health, error)
	Overdue(ctx context.Context, limit int) ([]gateway.Message, error)
	Intents(ctx context.Context, f gateway.IntentFilter) ([]gateway.Intent, error)
	Quarantine(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Receipt, error)
	Receipt(ctx context.Context, id string) (*gateway.Receipt, error)
	UnreadableBodies(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Unreadable, error)
	UnreadableBody(ctx context.Context, id string) (*gateway.Unreadable, error)

	Release(ctx context.Context, producer, messageID, reason string) (*gateway.Intent, error)
	Close(ctx context.Context, producer, messageID, reason string, as gateway.MessageState) (*gateway.Intent, error)
	Rematch(ctx context.Context) (int, error)
	MatchByHand(ctx context.Context, receiptID, messageID, reason string) (gateway.SettleResult, error)
	RetryUnreadable(ctx context.Context, id string) (gateway.SettleResult, error)
}

var _ Statuses = (*gateway.Gateway)(nil)

// statusRows is how many of a kind are listed; the counts tell of the others.
const statusRows = 100

// pageTime is the most time that the journal has for a page.
const pageTime = 10 * time.Second

// shownStatuses is what the page shows: ids, codes and times, and nothing about a recipient or of what the far end wrote.
type shownStatuses struct {
	Frame      frame
	Health     *gateway.Health
	Overdue    []gateway.Message
	Held       []heldMessage
	Unmatched  []gateway.Receipt
	Unreadable []gateway.Unreadable
	Rematch    []shownForm
	Rows       int
}

// heldMessage is a message that waits for a person.
type heldMessage struct {
	gateway.Message

	Producer string
}

// showStatuses asks and shows. It is all or nothing: a page with half of the truth would calm somebody.
func (c *Console) showStatuses(w http.ResponseWriter, v visit) error {
	ctx, cancel := context.WithTimeout(v.Context(), pageTime)
	defer cancel()
	now, err := c.askStatuses(ctx)
	if err != nil {
		return err
	}
	if now.Frame, err = c.frame(v); err != nil {
		return err
	}
	if now.Frame.MayDecide && len(now.Unmatched) > 0 {
		if now.Rematch, err = c.forms(v, "", "receipts/rematch"); err != nil {
			return err
		}
	}
	return c.pages.show(w, http.StatusOK, "statuses.html", now)
}

func (c *Console) askStatuses(ctx context.Context) (*shownStatuses, error) {
	now, source := &shownStatuses{Rows: statusRows}, c.cfg.Statuses
	var err error
	if now.Health, err = source.Health(ctx); err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	if now.Overdue, err = source.Overdue(ctx, statusRows); err != nil {
		return nil, fmt.Errorf("overdue messages: %w", err)
	}
	page := gateway.ReceiptFilter{Limit: statusRows}
	if now.Unmatched, err = source.Quarantine(ctx, page); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	if now.Unreadable, err = source.UnreadableBodies(ctx, page); err != nil {
		return nil, fmt.Errorf("unreadable bodies: %w", err)
	}
	if now.Health.Held == 0 {
		return now, nil
	}
	intents, err := source.Intents(ctx, gateway.IntentFilter{Status: gateway.IntentHeld, Limit: statusRows})
	if err != nil {
		return nil, fmt.Errorf("held messages: %w", err)
	}
	for n := range intents {
		for k := range intents[n].Messages {
			if m := &intents[n].Messages[k]; m.State == gateway.Held {
				now.Held = append(now.Held, heldMessage{*m, intents[n].Producer})
			}
		}
	}
	return now, nil
}
