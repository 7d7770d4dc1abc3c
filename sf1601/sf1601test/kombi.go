package sf1601test

import "net/http"

func transaction(http.Header) string { return "" }

func (s *Server) kombi(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
}

func (s *Server) adminRoutes() http.Handler { return http.NewServeMux() }
