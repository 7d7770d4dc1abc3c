package sf1601test

import (
	"context"
	"slices"
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
	attempt int                       // pushes of the current step made so far
	answer  func(ctx context.Context) // after the last step; nil: nothing

	status   beskedfordeler.PostStatus // what all steps share
	actor    string                    // BeskedAnsvarligAktoer
	object   string                    // ObjektId
	cvr      string                    // the authority
	finding  *Finding                  // of a Fejlet step
	returned Returpost                 // of an Opdatering step
}

// step is one status.
type step struct {
	kind     beskedfordeler.Kind
	beskedID string // the same on every retry
	due      time.Time
}

// digitalWay and printWay are the statuses of a letter that is delivered.
// The print ones are the names in KOMBIT's list of ObjektHandling, in the order
// they explain themselves in; whether a supplier tells all of them is not
// published. [src: PKO-POSTSTATUS-CLIENTS ObjektHandling]
var (
	digitalWay = []beskedfordeler.Kind{beskedfordeler.KindModtaget, beskedfordeler.KindAfleveret}
	printWay   = []beskedfordeler.Kind{
		beskedfordeler.KindAfsendt, beskedfordeler.KindFjernprintModtaget, beskedfordeler.KindKlar,
		beskedfordeler.KindTilPrint, beskedfordeler.KindPostDanmark,
	}
)

// journey plans the statuses of a letter just accepted.
func (s *Server) journey(req *request, l *letter, transmission string, does behaviour) *journey {
	f := s.Faults()
	j := &journey{
		letter: l, cvr: req.authority, finding: s.outcome(req, does, f), returned: s.cfg.Returpost,
		status: beskedfordeler.PostStatus{TransmissionID: transmission, CorrelationID: transmission},
	}
	if req.Channel == ChannelDigitalPost {
		j.answer = req.answer
	}
	way := digitalWay
	if req.Channel == ChannelFysiskPost {
		way = printWay
		s.printed(j, req)
	} else {
		s.digital(j, req)
	}
	start := time.Now() // delays run on the real clock; stamps are cfg.Now's
	if does.late {
		start = start.Add(max(0, time.Duration(f.LateDelay)))
	}
	steps := make([]step, len(way), len(way)+2)
	for i, kind := range way {
		span := f.AfleveretDelay - f.ModtagetDelay
		steps[i] = s.step(kind, start, f.ModtagetDelay+span*Duration(i)/Duration(len(way)-1))
	}
	first, last := steps[0], steps[len(steps)-1]
	if j.finding != nil {
		last.kind = beskedfordeler.KindFejlet
		steps = []step{first, last}
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
	case does.returned && req.Channel == ChannelFysiskPost:
		steps = append(steps, s.step(beskedfordeler.KindOpdatering, start, 2*f.AfleveretDelay))
		j.steps = steps
	default:
		j.steps = steps
	}
	s.twice(j, f.RatePushTwice)
	return j
}

// digital fills in what the statuses of Digital Post and NemSMS share.
func (s *Server) digital(j *journey, req *request) {
	uuid := strings.ToLower(req.MessageUUID)
	j.actor, j.object = beskedfordeler.ActorDigitalPost, uuid
	j.status.MessageUUID, j.status.MessageID, j.status.KanalKode = uuid, req.MessageID, "Digital Post"
	if req.KombiValgKode == ValgNemSMS {
		j.status.KanalKode = s.cfg.KanalNemSMS
	}
}

// printed fills in what the statuses of a printed letter share: its identity
// is the AfsendelseIdentifikator alone, also after Automatisk Valg. No real
// status of print is published, so a gateway must do with that.
func (s *Server) printed(j *journey, req *request) {
	j.actor, j.object = s.cfg.PrintActor, req.AfsendelseIdentifikator
	j.status.AfsendelseIdentifikator, j.status.KanalKode = req.AfsendelseIdentifikator, s.cfg.KanalFysiskPost
	j.status.ForsendelseTypeIdentifikator = req.shipment.typeID
	j.status.BrugerNavn, j.status.EnhedTekst = req.shipment.userName, req.shipment.unit
}

// twice doubles steps by chance.
func (s *Server) twice(j *journey, rate float64) {
	if rate <= 0 {
		return
	}
	var twice []step
	for _, st := range j.steps {
		twice = append(twice, st)
		if s.dice.roll() < rate {
			twice = append(twice, st)
		}
	}
	j.steps = twice
}

func (s *Server) step(kind beskedfordeler.Kind, start time.Time, delay Duration) step {
	return step{kind: kind, beskedID: s.newUUID(), due: start.Add(max(0, time.Duration(delay)))}
}

// outcome is why a letter ends as Fejlet, nil when it is delivered.
func (s *Server) outcome(req *request, does behaviour, f Faults) *Finding {
	printed := req.Channel == ChannelFysiskPost
	nemSMS := req.Channel == ChannelNemSMS
	switch {
	case req.Finding != nil:
		return req.Finding
	case does.fails && f.FejlKode != "":
		return &Finding{Code: f.FejlKode, Text: f.FejlTekst}
	case does.fails && printed:
		return &Finding{Code: s.cfg.PrintFejlKode, Text: s.cfg.PrintFejlTekst}
	case does.fails:
		return &Finding{Code: s.cfg.FejlKode, Text: s.cfg.FejlTekst}
	case does.noNemSMS && nemSMS, does.noDigitalPost && !nemSMS && !printed:
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
	switch st.kind { //nolint:exhaustive // the others say nothing more
	case beskedfordeler.KindFejlet:
		status.FejlKode, status.FejlTekst = j.finding.Code, j.finding.Text
	case beskedfordeler.KindOpdatering:
		status.FejlKode, status.FejlTekst = j.returned.FejlKode, j.returned.FejlTekst
		status.Haendelser = slices.Clone(j.returned.Haendelser)
	}
	return &beskedfordeler.Besked{
		ID: st.beskedID, Version: "1.0",
		Type: beskedfordeler.TypePKOPostStatus, Actor: j.actor,
		Recipients: []string{j.cvr},
		Related: []beskedfordeler.RelatedObject{
			{ID: relatedSystem, Type: beskedfordeler.ObservedRelatedType},
		},
		RegistrationID: status.TransmissionID, RegistrationActor: beskedfordeler.ObservedSource, Registered: now,
		Authority: j.cvr, ObjectID: j.object, ObjectType: beskedfordeler.ObservedObjectType,
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
