package sf1606test

import (
	"mime"
	"net/http"
)

// isMemo tells whether a request brings a message instead of an Order.
func isMemo(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (media == "application/xml" || media == "text/xml")
}

// relay sends the message of a request as it stands, once, and answers what the receiver said.
func (a *admin) relay(w http.ResponseWriter, r *http.Request) {
	answer, err := a.sender.Post(r.Context(), r.Body, r.ContentLength)
	if err != nil {
		problem(w, http.StatusBadGateway, "receiver.unreachable", "The receiver gave no answer: "+err.Error())
		return
	}
	for _, name := range []string{"Content-Type", "Retry-After"} {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}
