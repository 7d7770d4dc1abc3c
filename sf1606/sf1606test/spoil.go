package sf1606test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// Spoil is a way to make a message that must be refused.
type Spoil string

// The ways.
const (
	SpoilXML       Spoil = "xml"       // no XML
	SpoilDTD       Spoil = "dtd"       // a document type declaration
	SpoilNamespace Spoil = "namespace" // a namespace that is not MeMo's
	SpoilRecipient Spoil = "recipient" // to an authority that nobody is
	SpoilTruncated Spoil = "truncated" // the XML ends at 60 %, the upload does not
)

// Spoils are all ways.
func Spoils() []Spoil {
	return []Spoil{SpoilXML, SpoilDTD, SpoilNamespace, SpoilRecipient, SpoilTruncated}
}

// nobody is a CVR that is not given to anyone.
const nobody = "00000000"

// Spoilt sends a message once, spoilt. m stays as it is.
func (s *Sender) Spoilt(ctx context.Context, m *memo.Message, how Spoil) (Answer, error) {
	if how == SpoilRecipient {
		other := *m
		other.Header.Recipient.RecipientID = nobody
		return s.Try(ctx, &other)
	}
	d, err := m.Document()
	if err != nil {
		return Answer{}, err
	}
	body := d.Open(ctx)
	defer func() { _ = body.Close() }()
	switch how {
	case SpoilXML:
		const text = `{"besked":"ikke XML"}`
		return s.Post(ctx, bytes.NewReader([]byte(text)), int64(len(text)))
	case SpoilDTD:
		const dtd = `<!DOCTYPE Message [<!ENTITY x "y">]>`
		return s.Post(ctx, io.MultiReader(bytes.NewReader([]byte(dtd)), body), d.Size()+int64(len(dtd)))
	case SpoilNamespace:
		head := make([]byte, min(512, d.Size()))
		if _, err := io.ReadFull(body, head); err != nil {
			return Answer{}, fmt.Errorf("sf1606test: %w", err)
		}
		wrong := bytes.Replace(head, []byte(memo.NamespaceMemo), []byte(memo.NamespaceMemo[:len(memo.NamespaceMemo)-1]+"9"), 1)
		return s.Post(ctx, io.MultiReader(bytes.NewReader(wrong), body), d.Size())
	case SpoilTruncated:
		part := d.Size() * 6 / 10
		return s.Post(ctx, io.LimitReader(body, part), part)
	case SpoilRecipient: // above
	}
	return Answer{}, errors.New("sf1606test: no such way to spoil a message")
}

// spoilt tells what is wrong with the answer to a spoilt message.
func (s *Sender) spoilt(ctx context.Context, m *memo.Message, how Spoil) error {
	a, err := s.Spoilt(ctx, m, how)
	switch {
	case err != nil: // a receiver that is away took nothing
		return nil //nolint:nilerr // as said
	case a.Problem != nil:
		return a.Problem
	case a.Accepted():
		return fmt.Errorf("sf1606test: a message spoilt by %s was accepted", how)
	default:
		return nil
	}
}
