package gateway

import (
	"context"
	"fmt"
	"io"
)

// Attachment opens document n of a message's intent for its recipient, and says who the letter is from. It is for links
// that prove by themselves that whoever holds them may read; nothing else is asked. ErrNotFound for a message or document
// that is not, or no longer, there.
func (g *Gateway) Attachment(ctx context.Context, messageID string, n int) (d Document, from string, content io.ReadCloser, err error) {
	var intentID string
	err = g.journal.Update(ctx, func(tx Tx) error {
		m, err := tx.Message(messageID)
		if err != nil {
			return err
		}
		intentID = m.IntentID
		return nil
	})
	if err != nil {
		return Document{}, "", nil, err
	}
	i, err := g.journal.Intent(ctx, intentID)
	if err != nil {
		return Document{}, "", nil, err
	}
	if content, err = g.open(i)(ctx, n); err != nil {
		return Document{}, "", nil, fmt.Errorf("open the document of %s: %w", messageID, err)
	}
	return i.Content.Documents[n], g.senders[i.Sender].Label, content, nil
}
