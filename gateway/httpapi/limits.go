package httpapi

import (
	"bytes"
	"context"
)

// The most that a body of JSON may hold, whatever its size: a list of nothing costs two bytes on the wire and many times that
// in memory. The contents of documents are strings without any of these.
const (
	maxValues     = 200_000 // members and elements
	maxContainers = 50_000  // objects and arrays, which bounds how deep they are nested, too
)

// fewEnough counts without parsing, so what stands in texts counts, too; no letter has nearly as many.
func fewEnough(body []byte) error {
	if len(body) < maxContainers {
		return nil
	}
	if bytes.Count(body, []byte{','}) >= maxValues || bytes.Count(body, []byte{'['})+bytes.Count(body, []byte{'{'}) > maxContainers {
		const detail = "The body has more members, elements or containers than anything that is taken here."
		return newProblem(codeTooMany, detail, Finding{"", codeTooMany, detail})
	}
	return nil
}

// paced refuses a producer that is over its rate.
func (s *Server) paced(ctx context.Context, producer string) error {
	wait, ok := s.rate(ctx, producer)
	if ok {
		return nil
	}
	p := newProblem(codeRate, "")
	p.RetryAfter = wait
	return p
}
