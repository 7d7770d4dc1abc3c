package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/routing"
)

// Posts lists posts without documents and facts, oldest first.
func (s *Service) Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	if f.MessageUUID != "" {
		return s.byUUID(ctx, f)
	}
	posts, err := s.cfg.Journal.Posts(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list posts: %w", err)
	}
	return posts, nil
}

// byUUID finds the one post that a messageUUID can name by the journal's index of them, where a list would look at every post.
func (s *Service) byUUID(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	id, _, err := s.cfg.Journal.PostReceipt(ctx, f.MessageUUID)
	if errors.Is(err, gateway.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a post: %w", err)
	}
	p, _, err := s.Post(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Limit < 1, p.ID <= f.After, f.State != "" && p.State != f.State, f.Target != "" && p.Target != f.Target,
		f.Producer != "" && (p.Answers == nil || p.Answers.Producer != f.Producer):
		return nil, nil
	}
	p.Facts, p.Documents = nil, nil
	return []gateway.Post{*p}, nil
}

// Post returns a post with its documents and its events in order. gateway.ErrNotFound.
func (s *Service) Post(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error) {
	p, events, err := s.cfg.Journal.PostView(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read a post: %w", err)
	}
	return p, events, nil
}

// PostCounts tells how many posts are in each state that is not final, and when the oldest queued one came.
func (s *Service) PostCounts(ctx context.Context) (map[gateway.PostState]int, time.Time, error) {
	counts, oldest, err := s.cfg.Journal.PostCounts(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("count posts: %w", err)
	}
	return counts, oldest, nil
}

// Facts tells what the distribution rules saw of a post that was read with [Service.Post].
func (s *Service) Facts(p *gateway.Post) (gateway.PostFacts, error) {
	var f routing.Facts
	if len(p.Facts) == 0 { // erased
		return gateway.PostFacts{}, nil
	}
	if err := json.Unmarshal(p.Facts, &f); err != nil { //nolint:musttag // written from the same type by receive
		return gateway.PostFacts{}, fmt.Errorf("facts of post %s: unreadable", p.ID) // the cause may repeat what it read
	}
	id, err := gateway.ParseIdentifier(gateway.Scheme(strings.ToUpper(strings.TrimSpace(f.SenderType))), f.SenderID)
	if err != nil {
		id = gateway.Identifier{}
	}
	return gateway.PostFacts{
		Sender: id, SenderType: f.SenderType, Label: gateway.Private(f.Label), ContactPoint: f.ContactPoint,
		ContactGroup: f.ContactGroup, KLE: f.KLE, FORM: f.FORM, CaseIDs: f.CaseIDs, CaseSystem: f.CaseSystem, PostType: f.PostType,
		MessageCode: f.MessageCode, Forwarded: f.Forwarded, DocumentTypes: f.DocumentTypes,
	}, nil
}

// OpenMemo reads the XML of a post as it came, from its first byte.
func (s *Service) OpenMemo(ctx context.Context, p *gateway.Post) (io.ReadCloser, error) {
	return s.open(ctx, p, p.Memo)
}

// OpenDocument reads document n of p.Documents from its first byte. gateway.ErrNotFound when there is no such document.
func (s *Service) OpenDocument(ctx context.Context, p *gateway.Post, n int) (io.ReadCloser, error) {
	if n < 0 || n >= len(p.Documents) {
		return nil, gateway.ErrNotFound
	}
	return s.open(ctx, p, p.Documents[n].StoredFile)
}

func (s *Service) open(ctx context.Context, p *gateway.Post, f gateway.StoredFile) (io.ReadCloser, error) {
	r, err := s.cfg.Documents.Open(ctx, f.SHA256)
	if err != nil {
		return nil, fmt.Errorf("open a file of post %s: %w", p.ID, err)
	}
	return r, nil
}
