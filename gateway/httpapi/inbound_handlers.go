package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/brevdue/brevdue/gateway"
)

func listInbound(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := query(r, "state", "target", "messageUUID", "after", "limit")
	if err != nil {
		return 0, nil, err
	}
	q := InboundQuery{
		State: values.Get("state"), Target: values.Get("target"), MessageUUID: values.Get("messageUUID"), After: values.Get("after"),
	}
	if q.State != "" && !slices.Contains(gateway.PostStates(), gateway.PostState(q.State)) {
		return 0, nil, queryProblem("state", "There is no such state of a post.")
	}
	limit, err := number(values, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return 0, nil, err
	}
	q.Limit = int(limit)
	ctx, cancel := s.timeout(r)
	defer cancel()
	page, err := api.InboundPosts(ctx, q)
	return http.StatusOK, page, err
}

func getInbound(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	view, err := api.InboundPost(ctx, r.PathValue("id"))
	return http.StatusOK, view, err
}

// onInbound is the handler of a decision whose body is a T.
func onInbound[T any](decide func(api API, ctx context.Context, id string, in *T) (*InboundAnswer, error)) handler {
	return func(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
		in, err := readJSON(s, w, r, decode[T])
		if err != nil {
			return 0, nil, err
		}
		ctx, cancel := s.timeout(r)
		defer cancel()
		answer, err := decide(api, ctx, r.PathValue("id"), in)
		return http.StatusOK, answer, err
	}
}
