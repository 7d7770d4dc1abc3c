package inbound

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// What an answer can carry of the thread. [src: MEMO-1.1-XSD ReplyData]
const (
	maxAdditional = 4   // AdditionalReplyData of one ReplyData
	maxComment    = 512 // characters
	maxThread     = 50  // ReplyData: the schema has no bound, and a thread without one would grow into the letter's size
	titlePrefix   = "Svar: "
)

// Answering tells what an answer to a post takes from it: to whom it goes, and the thread as MeMo's ReplyData gives it back.
// The MeMo is read for it, however large it is.
//
// The first entry of the thread is the post itself: its messageUUID and messageID, in replyUUID the message that it answered,
// its own sender and recipient, the contact point that its sender chose, the case and the system that it named. What it
// gave back of an earlier letter (case, contact point, generating system, AdditionalReplyData) is given back once more
// where the post itself says nothing. Then follows the thread that it came with. docs/divergences.md says what of this the
// standard leaves open.
//
// Errors: gateway.ErrUnanswerable when the sender has no CPR or CVR number, or the post no UUID that an answer may name.
func (s *Service) Answering(ctx context.Context, p *gateway.Post) (*gateway.Answering, error) {
	file, err := s.OpenMemo(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	m, err := memo.Read(ctx, file, memo.ReadOptions{Limits: memo.ReadLimits{Size: 2 * memo.MaxSize}})
	if err != nil {
		return nil, fmt.Errorf("read the message of post %s again: %w", p.ID, err)
	}
	h := &m.Header
	id, err := gateway.ParseIdentifier(gateway.Scheme(strings.ToUpper(strings.TrimSpace(string(h.Sender.IDType)))), h.Sender.SenderID)
	if err != nil || !uuid4.MatchString(h.MessageUUID) {
		return nil, gateway.ErrUnanswerable
	}
	a := &gateway.Answering{
		Recipient: gateway.Recipient{ID: id, Name: gateway.Private(fit(h.Sender.Label))},
		Title:     title(h.Label), Answers: thread(h),
	}
	return a, s.takeCase(ctx, a, h, p.Answers)
}

// Answered writes into the story of a post that it was answered with an intent, and by whom.
func (s *Service) Answered(ctx context.Context, id, intentID, by string) error {
	err := s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		p, err := tx.Post(id)
		if err != nil {
			return err
		}
		return s.event(tx, p, "", "answered", "Answered with "+intentID+".", by)
	})
	if err != nil {
		return fmt.Errorf("note the answer to post %s: %w", id, err)
	}
	return nil
}

// takeCase finds the case that an answer belongs to: the one that the post names, else that of the letter it answers.
func (s *Service) takeCase(ctx context.Context, a *gateway.Answering, h *memo.MessageHeader, c *gateway.Correlation) error {
	if d := h.ContentData; d != nil && d.CaseID != nil && fit(d.CaseID.CaseID) != "" && fit(d.CaseID.CaseSystem) != "" {
		a.CaseID, a.CaseSystem = d.CaseID.CaseID, d.CaseID.CaseSystem
		return nil
	}
	if c == nil || c.CaseID == "" {
		return nil
	}
	letter, err := s.cfg.Journal.Intent(ctx, c.IntentID)
	if err != nil {
		return fmt.Errorf("read the letter that is answered: %w", err)
	}
	a.CaseID, a.CaseSystem = letter.Content.CaseID, letter.Content.CaseSystem
	return nil
}

// thread is the message of h and the messages that it named, without what the schema has no place for.
func thread(h *memo.MessageHeader) []gateway.Answered {
	first := gateway.Answered{
		MessageID: fit(h.MessageID), MessageUUID: strings.ToLower(h.MessageUUID),
		SenderID: gateway.Private(fit(h.Sender.SenderID)), RecipientID: gateway.Private(fit(h.Recipient.RecipientID)),
	}
	if d := h.ContentData; d != nil && d.CaseID != nil {
		first.CaseID = fit(d.CaseID.CaseID)
	}
	if p := h.Recipient.ContactPoint; p != nil {
		first.ContactPointID = fit(p.ContactPointID)
	}
	if d := h.Sender.AttentionData; d != nil && d.GeneratingSystem != nil {
		first.GeneratingSystemID = fit(d.GeneratingSystem.GeneratingSystemID)
	}
	earlier := make([]gateway.Answered, 0, min(len(h.ReplyData), maxThread))
	seen := map[string]bool{first.MessageUUID: true}
	for n := range h.ReplyData {
		x := answered(&h.ReplyData[n])
		if !uuid4.MatchString(x.MessageUUID) || seen[x.MessageUUID] || len(earlier) == maxThread-1 {
			continue
		}
		seen[x.MessageUUID] = true
		earlier = append(earlier, x)
	}
	if len(earlier) > 0 {
		last := &earlier[0]
		first.ReplyUUID = last.MessageUUID
		first.CaseID = cmp.Or(first.CaseID, last.CaseID)
		first.ContactPointID = cmp.Or(first.ContactPointID, last.ContactPointID)
		first.GeneratingSystemID = cmp.Or(first.GeneratingSystemID, last.GeneratingSystemID)
		first.Additional = last.Additional
	}
	return append([]gateway.Answered{first}, earlier...)
}

// answered takes over one message of a thread.
func answered(r *memo.ReplyData) gateway.Answered {
	out := gateway.Answered{
		MessageID: fit(r.MessageID), MessageUUID: strings.ToLower(r.MessageUUID), ReplyUUID: strings.ToLower(r.ReplyUUID),
		SenderID: gateway.Private(fit(r.SenderID)), RecipientID: gateway.Private(fit(r.RecipientID)), CaseID: fit(r.CaseID),
		ContactPointID: fit(r.ContactPointID), GeneratingSystemID: fit(r.GeneratingSystemID),
	}
	if !uuid4.MatchString(out.ReplyUUID) {
		out.ReplyUUID = ""
	}
	if utf8.RuneCountInString(r.Comment) <= maxComment {
		out.Comment = gateway.Private(r.Comment)
	}
	for _, x := range r.AdditionalReplyData {
		label, value := fit(x.Label), fit(x.Value)
		if strings.TrimSpace(label) != "" && strings.TrimSpace(value) != "" && len(out.Additional) < maxAdditional {
			out.Additional = append(out.Additional, gateway.Pair{Label: gateway.Private(label), Value: gateway.Private(value)})
		}
	}
	return out
}

// title is the subject of an answer to a message that had the given one.
func title(label string) string {
	label = strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(label, ""), "\x7f", "")), " ")
	if label == "" {
		return "Svar"
	}
	if !strings.HasPrefix(strings.ToLower(label), strings.ToLower(titlePrefix)) {
		label = titlePrefix + label
	}
	if runes := []rune(label); len(runes) > gateway.MaxText {
		label = strings.TrimSpace(string(runes[:gateway.MaxText-1])) + "…"
	}
	return label
}

// fit is s, or nothing when the schema has no room for it: half an id is a wrong one. [src: MEMO-1.1-XSD memoTextType]
func fit(s string) string {
	if utf8.RuneCountInString(s) > gateway.MaxText {
		return ""
	}
	return s
}

// uuid4 is what an answer may name. [src: MEMO-1.1-XSD memoUuidType]
var uuid4 = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$`)
