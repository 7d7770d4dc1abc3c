package sf1601test

import "net/http"

// Paths of the services, under Server.URL.
const (
	PathIssue       = "/runtime/api/rest/wstrust/v1/issue"
	PathToken       = "/service/AccessTokenService_1/token"
	PathKombi       = "/service/KombiPostAfsend_1/kombi"
	PathMemos       = "/service/KombiPostAfsend_1/memos"
	PathDigitalPost = "/service/PostForespoerg_1/digitalpost"
	PathNemSMS      = "/service/PostForespoerg_1/nemsms"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(method, path, name string, h http.HandlerFunc) {
		mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
			s.book.update(func(st *Stats) { st.Requests[name]++ })
			h(w, r)
		})
	}
	handle(http.MethodPost, PathIssue, "issue", s.issue)
	handle(http.MethodPost, PathIssueSOAP, "issue-soap", s.issueSOAP)
	handle(http.MethodPost, PathToken, "token", s.token)
	handle(http.MethodPost, PathKombi, "kombi", s.kombi)
	handle(http.MethodPost, PathMemos, "memos", s.kombi)
	handle(http.MethodGet, PathDigitalPost, "digitalpost", s.registered(func(b behaviour) bool { return !b.noDigitalPost }))
	handle(http.MethodGet, PathNemSMS, "nemsms", s.registered(func(b behaviour) bool { return !b.noNemSMS }))
	return mux
}
