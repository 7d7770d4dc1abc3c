package httpapi

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// handler answers a request of an authenticated producer: a status and a body of JSON, or an error.
type handler func(s *Server, api API, w http.ResponseWriter, r *http.Request) (status int, body any, err error)

func postIntent(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decode[IntentRequest])
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.PostIntent(ctx, in)
	if err != nil {
		return 0, nil, err
	}
	if answer.Existing {
		return http.StatusOK, answer, nil
	}
	return http.StatusAccepted, answer, nil
}

// readJSON reads a request that has a body of JSON and no query.
func readJSON[T any](
	s *Server, w http.ResponseWriter, r *http.Request, decode func(body []byte) (*T, error),
) (in *T, err error) {
	if err := isJSON(r); err != nil {
		return nil, err
	}
	if _, err := query(r); err != nil {
		return nil, err
	}
	err = s.withBody(w, r, func(body []byte) (err error) {
		in, err = decode(body)
		return err
	})
	return in, err
}

func getIntent(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	view, err := api.Intent(ctx, r.PathValue("id"))
	return http.StatusOK, view, err
}

func listIntents(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := query(r, "reference", "status", "after", "limit")
	if err != nil {
		return 0, nil, err
	}
	q := IntentQuery{Reference: values.Get("reference"), Status: values.Get("status"), After: values.Get("after")}
	if q.Status != "" && !slices.Contains(gateway.IntentStatuses(), gateway.IntentStatus(q.Status)) {
		return 0, nil, queryProblem("status", "There is no such status of an intent.")
	}
	limit, err := number(values, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return 0, nil, err
	}
	q.Limit = int(limit)
	ctx, cancel := s.timeout(r)
	defer cancel()
	page, err := api.Intents(ctx, q)
	return http.StatusOK, page, err
}

func cancelIntent(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.Cancel(ctx, r.PathValue("id"))
	return http.StatusOK, answer, err
}

func releaseMessage(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decode[ReleaseRequest])
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.Release(ctx, r.PathValue("id"), in)
	return http.StatusOK, answer, err
}

func closeMessage(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decode[CloseRequest])
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.Close(ctx, r.PathValue("id"), in)
	return http.StatusOK, answer, err
}

func listEvents(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := query(r, "after", "limit")
	if err != nil {
		return 0, nil, err
	}
	after, err := number(values, "after", 0, 1<<62, 0)
	if err != nil {
		return 0, nil, err
	}
	limit, err := number(values, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	page, err := api.Events(ctx, after, int(limit))
	return http.StatusOK, page, err
}

func listErrors(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	list, err := api.Errors(ctx)
	return http.StatusOK, list, err
}

func postRegistration(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decodeQuestion)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.Registration(ctx, in)
	return http.StatusOK, answer, err
}

// postDocument streams the body to the document store; it has no timeout but the body's pace.
func postDocument(_ *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	if err := isFile(r); err != nil {
		return 0, nil, err
	}
	values, err := query(r, "filename")
	if err != nil {
		return 0, nil, err
	}
	if r.ContentLength > gateway.MaxDocument {
		return 0, nil, gateway.ErrTooLarge
	}
	// One byte more than a document may have, so that the store itself sees that it is too large.
	body := newPacedBody(w, io.LimitReader(r.Body, gateway.MaxDocument+1))
	answer, err := api.UploadDocument(r.Context(), values.Get("filename"), body)
	if err != nil && body.failed != nil {
		return 0, nil, body.failed
	}
	return http.StatusCreated, answer, err
}

// isFile refuses bodies that are a wrapping around the file.
func isFile(r *http.Request) error {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return newProblem(codeMediaType, "Send the file itself, without Content-Encoding.")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (strings.HasPrefix(media, "multipart/") || media == "application/x-www-form-urlencoded") {
		return newProblem(codeMediaType, "Send the file itself as the body, not a form with a file in it.")
	}
	return nil
}

// timeout bounds the work on a request whose body has been read.
func (s *Server) timeout(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), s.patience)
}

// query reads the parameters and refuses those that are not known or there twice.
func query(r *http.Request, known ...string) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return url.Values{}, nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newProblem(codeQuery, "It is not encoded as a query.")
	}
	for name, list := range values {
		if !slices.Contains(known, name) {
			return nil, newProblem(codeQuery, "Known here: "+strings.Join(append(known, "nothing else"), ", ")+".")
		}
		if len(list) > 1 {
			return nil, queryProblem(name, "The parameter is there twice.")
		}
	}
	return values, nil
}

func queryProblem(name, detail string) *Problem {
	return newProblem(codeQuery, detail, Finding{"/" + name, codeQuery, detail})
}

// number reads a whole number between least and most.
func number(values url.Values, name string, least, most, def int64) (int64, error) {
	s := values.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		return 0, queryProblem(name, "Expected a whole number from "+strconv.FormatInt(least, 10)+
			" to "+strconv.FormatInt(most, 10)+".")
	}
	return n, nil
}
