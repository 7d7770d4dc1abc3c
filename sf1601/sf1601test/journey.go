package sf1601test

import (
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// journey is the way of one accepted letter after the answer: the statuses
// that are still to be told, in order. The next is pushed when the one before
// it was acknowledged, so order holds even while the gateway is down.
type journey struct {
	letter  *letter
	steps   []step
	attempt int // pushes of the current step made so far

	status  beskedfordeler.PostStatus // what all steps share
	cvr     string                    // the authority
	finding *Finding                  // of a Fejlet step
}

// step is one status.
type step struct {
	kind     beskedfordeler.Kind
	beskedID string // the same on every retry
	due      time.Time
}

// journey plans the statuses of a letter just accepted.
func (s *Server) journey(req *request, l *letter, transmission string, does behaviour) *journey {
	f := s.Faults()
	j := &journey{
		letter: l, cvr: req.authority, finding: s.outcome(req, does),
		status: beskedfordeler.PostStatus{
			TransmissionID: transmission, CorrelationID: transmission,
			MessageUUID: strings.ToLower(req.MessageUUID), MessageID: req.MessageID, KanalKode: "Digital Post",
		},
	}
	if req.KombiValgKode == ValgNemSMS {
		j.status.KanalKode = s.cfg.KanalNemSMS
	}
	start := time.Now() // delays run on the real clock; stamps are cfg.Now's
	if does.late {
		start = start.Add(max(0, time.Duration(f.LateDelay)))
	}
	first := s.step(beskedfordeler.KindModtaget, start, f.ModtagetDelay)
	last := s.step(beskedfordeler.KindAfleveret, start, f.AfleveretDelay)
	if j.finding != nil {
		last.kind = beskedfordeler.KindFejlet
	}
	switch {
	case does.silent:
	case does.jumbled:
		// The last status first, and again as Beskedfordeler repeats itself
		// (same BeskedId); then the first, and again as its source repeats
		// itself (another BeskedId).
		again := s.step(first.kind, start, f.AfleveretDelay)
		first.due = last.due
		j.steps = []step{last, last, first, again}
	case req.Finding != nil:
		j.steps = []step{last} // validation failed: never received
	default:
		j.steps = []step{first, last}
	}
	if f.RatePushTwice > 0 {
		var twice []step
		for _, st := range j.steps {
			twice = append(twice, st)
			if s.dice.roll() < f.RatePushTwice {
				twice = append(twice, st)
			}
		}
		j.steps = twice
	}
	return j
}

func (s *Server) step(kind beskedfordeler.Kind, start time.Time, delay Duration) step {
	return step{kind: kind, beskedID: s.newUUID(), due: start.Add(max(0, time.Duration(delay)))}
}

// outcome is why a letter ends as Fejlet, nil when it is delivered.
func (s *Server) outcome(req *request, does behaviour) *Finding {
	nemSMS := req.KombiValgKode == ValgNemSMS
	switch {
	case req.Finding != nil:
		return req.Finding
	case does.fails:
		return &Finding{Code: s.cfg.FejlKode, Text: s.cfg.FejlTekst}
	case does.noNemSMS && nemSMS, does.noDigitalPost && !nemSMS:
		return &Finding{Code: CodeNotRegistered, Text: "The recipient is not registered"}
	}
	return nil
}

// besked is the current step as Beskedfordeler pushes it.
func (j *journey) besked(now time.Time, newUUID func() string) *beskedfordeler.Besked {
	st := j.steps[0]
	status := j.status
	status.TransaktionsDatoTid = now
	status.TransaktionsStatusKode = st.kind.StatusKode()
	if st.kind == beskedfordeler.KindFejlet {
		status.FejlKode, status.FejlTekst = j.finding.Code, j.finding.Text
	}
	return &beskedfordeler.Besked{
		ID: st.beskedID, Version: "1.0",
		Type: beskedfordeler.TypePKOPostStatus, Actor: beskedfordeler.ActorDigitalPost,
		Recipients: []string{j.cvr},
		Related: []beskedfordeler.RelatedObject{
			{ID: relatedSystem, Type: beskedfordeler.ObservedRelatedType},
		},
		RegistrationID: status.TransmissionID, RegistrationActor: beskedfordeler.ObservedSource, Registered: now,
		Authority: j.cvr, ObjectID: status.MessageUUID, ObjectType: beskedfordeler.ObservedObjectType,
		Handling: st.kind.Handling(),
		Created:  now, TransactionID: newUUID(), Source: beskedfordeler.ObservedSource,
		Classification: beskedfordeler.SensitivityNone,
		Route: beskedfordeler.Route{
			Distributor: beskedfordeler.ObservedDistributor, Received: now, Delivered: now,
			From: beskedfordeler.ObservedSource, Subscription: subscription, Attempts: j.attempt + 1,
		},
		Status: &status,
	}
}

// Ids of a sending user system and of a subscription, made up for the
// simulator.
const (
	relatedSystem = "6f1d4c1e-5a53-4d0c-9d7a-2f6d1f5a0b11"
	subscription  = "c3a1f6de-94d0-4b7e-8a8d-5e0c7b1a9f22"
)
