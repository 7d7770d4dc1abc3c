package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/brevdue/brevdue/gateway/access"
)

// Scope is something a producer's token allows.
type Scope = access.Scope

// The scopes, as package access has them.
const (
	WriteIntents  = access.WriteIntents
	ReadIntents   = access.ReadIntents
	AdminReceipts = access.AdminReceipts
	ReadInbound   = access.ReadInbound
	DecideInbound = access.DecideInbound
	AdminInbound  = access.AdminInbound
)

// Scopes lists the scopes of producers: what one has who has no list of its own.
func Scopes() []Scope { return access.Scopes() }

// AllScopes lists every scope, those of operators' programs too.
func AllScopes() []Scope { return access.AllScopes() }

// Producer is a system that may use the API.
type Producer = access.Producer

// caller is the producer of a request.
type caller struct {
	*Producer

	how access.How
}

// authenticate finds the producer of a request and demands a scope of it. Why it was refused is for the log, without what
// was presented; the answer says only what to send.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, rt *route) (*caller, error) {
	ctx := r.Context()
	refused := func(ctx context.Context, reason access.Reason, by string) {
		s.log.InfoContext(ctx, "refused", "reason", string(reason), "by", by, "route", rt.method+" "+rt.path)
	}
	if len(r.Header.Values("Authorization")) > 1 {
		refused(ctx, access.MalformedJWT, "")
		return nil, newProblem(codeTokenInvalid, "Send one header Authorization.")
	}
	producer, how, err := s.producers.Authenticate(ctx, r.Header.Get("Authorization"))
	switch reason := access.ReasonOf(err); {
	case errors.Is(err, access.ErrUnavailable):
		p := newProblem(codeUnavailable, "The token's issuer cannot be asked for its keys.").because(err)
		p.RetryAfter = defaultRetryAfter
		return nil, p
	case reason == access.NoToken:
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue"`)
		return nil, newProblem(codeTokenMissing, "Send the header Authorization: Bearer TOKEN.").because(err)
	case err != nil:
		refused(ctx, reason, "")
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue", error="invalid_token"`)
		return nil, newProblem(codeTokenInvalid, "No producer has this token.").because(err)
	case !producer.May(rt.scope):
		refused(ctx, "scope.missing", producer.Name)
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue", error="insufficient_scope", scope="`+string(rt.scope)+`"`)
		return nil, newProblem(codeForbidden, "The token needs the scope "+string(rt.scope)+".")
	}
	return &caller{producer, how}, nil
}
