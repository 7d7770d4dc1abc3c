package sf1601test

import "net/http"

// registered is PostForespoerg_1 for one service: GET with cprNumber or
// cvrNumber, {"result": bool} back.
func (s *Server) registered(is func(behaviour) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, _, wrong := s.authorize(r, EntityPostForespoerg); wrong != "" {
			s.stsError(w, r, http.StatusUnauthorized, wrong)
			return
		}
		if wrong := transaction(r.Header); wrong != "" {
			s.stsError(w, r, http.StatusBadRequest, wrong)
			return
		}
		q := r.URL.Query()
		cpr, cvr := q["cprNumber"], q["cvrNumber"]
		var id string
		switch {
		case len(q) != 1 || len(cpr)+len(cvr) != 1:
			s.stsError(w, r, http.StatusBadRequest, "the query is not one cprNumber or one cvrNumber")
			return
		case len(cpr) == 1 && digits(cpr[0], 10):
			id = cpr[0]
		case len(cvr) == 1 && digits(cvr[0], 8):
			id = cvr[0]
		default:
			s.stsError(w, r, http.StatusBadRequest, "cprNumber is 10 digits, cvrNumber is 8")
			return
		}
		writeJSON(w, http.StatusOK, map[string]bool{"result": is(behaves(id))})
	}
}
