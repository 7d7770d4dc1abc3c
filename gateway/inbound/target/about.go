package target

import (
	"encoding/json"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// about is post.json: what a system needs beside memo.xml, and nothing that tells who wrote.
type about struct {
	ID          string         `json:"id"`
	MessageUUID string         `json:"messageUUID"`
	Received    time.Time      `json:"received"`
	Source      string         `json:"source"`
	SenderType  string         `json:"senderType,omitempty"` // CPR or CVR
	CaseID      string         `json:"caseID,omitempty"`     // of the letter that it answers
	Answers     *answers       `json:"answers,omitempty"`
	Flags       []string       `json:"flags"`
	Documents   []aboutOneFile `json:"documents"`
}

// answers names the letter of ours that a post answers.
type answers struct {
	Producer  string `json:"producer"`
	IntentID  string `json:"intentId"`
	Reference string `json:"reference,omitempty"`
	MessageID string `json:"messageId"`
}

type aboutOneFile struct {
	File        string   `json:"file"` // in the folder documents
	Kind        string   `json:"kind"`
	ContentType string   `json:"contentType"`
	RealType    string   `json:"realType"`
	Size        int64    `json:"size"`
	SHA256      string   `json:"sha256"`
	Flags       []string `json:"flags"`
}

func aboutPost(p *inbound.Parcel) about {
	post := p.Post
	a := about{
		ID: post.ID, MessageUUID: post.MessageUUID, Received: post.ReceivedAt.UTC(), Source: string(post.Source),
		SenderType: senderType(post.Facts), Answers: answersOf(p), Flags: list(post.Flags), Documents: []aboutOneFile{},
	}
	if post.Answers != nil {
		a.CaseID = post.Answers.CaseID
	}
	for _, d := range post.Documents {
		a.Documents = append(a.Documents, aboutOneFile{
			File: d.SafeName, Kind: d.Kind, ContentType: d.DeclaredType, RealType: d.RealType, Size: d.Size, SHA256: d.SHA256,
			Flags: list(d.Flags),
		})
	}
	return a
}

func answersOf(p *inbound.Parcel) *answers {
	c := p.Post.Answers
	if c == nil {
		return nil
	}
	return &answers{Producer: c.Producer, IntentID: c.IntentID, Reference: c.Reference, MessageID: c.MessageID}
}

// senderType is CPR, CVR or "" when the facts do not tell.
func senderType(facts []byte) string {
	var f routing.Facts
	if json.Unmarshal(facts, &f) != nil { //nolint:musttag // written from the same type by package inbound
		return ""
	}
	return f.SenderType
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
