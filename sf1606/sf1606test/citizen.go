package sf1606test

import (
	"bytes"
	"context"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// answerBytes is the size of an answer's XML.
const answerBytes = 8 << 10

// Citizen answers letters that the authority sent, as a person at the far end of Digital Post does.
type Citizen struct {
	sender  *Sender
	letters *Letters
}

// NewCitizen makes one whose answers l writes and s sends.
func NewCitizen(s *Sender, l *Letters) *Citizen { return &Citizen{sender: s, letters: l} }

// Answer reads the MeMo of a letter and returns what sends the answer to it, until there is a receipt or ctx ends. It is nil
// for a letter that cannot be read or says that it must not be answered. It fits sf1601test.Config.Answers.
// [src: MEMO-1.1-XSD reply]
func (c *Citizen) Answer(letter []byte) func(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), c.sender.cfg.Timeout) // of reading what is in memory
	defer cancel()
	m, err := memo.Read(ctx, bytes.NewReader(letter), memo.ReadOptions{})
	if err != nil || !m.Header.Reply {
		return nil
	}
	if by := m.Header.ReplyByDateTime; !by.IsZero() && by.Before(c.sender.cfg.Now()) {
		return nil
	}
	return func(ctx context.Context) {
		answer := c.letters.Reply(m, answerBytes)
		receipt, err := c.sender.Send(ctx, answer)
		switch {
		case err != nil && ctx.Err() == nil:
			c.sender.cfg.Logger.WarnContext(ctx, "answer not delivered", "messageUUID", answer.Header.MessageUUID, "err", err)
		case err == nil && !receipt.Positive():
			c.sender.cfg.Logger.WarnContext(ctx, "answer refused", "messageUUID", answer.Header.MessageUUID, "code", receipt.ErrorCode)
		}
	}
}
