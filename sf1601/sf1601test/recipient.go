package sf1601test

// behaviour is what a recipient makes the far end do, by the last four digits
// of the CPR or CVR number.
type behaviour struct {
	noDigitalPost bool // not registered for Digital Post
	noNemSMS      bool // not registered for NemSMS
	fails         bool // accepted, then status Fejlet
	refused       bool // refused in the answer: Result=false
	cut           bool // accepted, then the connection is cut before the answer
	unavailable   int  // 503 so many times per letter, then accepted
	late          bool // status is LateDelay late
	jumbled       bool // statuses arrive twice and in the wrong order
	silent        bool // no status ever
	unauthorized  bool // the access token is refused once per letter
	returned      bool // printed, then returned
	answers       bool // answers the letter after its last status
}

// behaves is the table of the simulator's recipients. 9996 and everybody else
// are delivered, 9986 too when the letter is not printed.
func behaves(recipient string) behaviour {
	if len(recipient) < 4 {
		return behaviour{}
	}
	switch recipient[len(recipient)-4:] {
	case "9995":
		return behaviour{noDigitalPost: true}
	case "9994":
		return behaviour{noNemSMS: true}
	case "9993":
		return behaviour{fails: true}
	case "9992":
		return behaviour{refused: true}
	case "9991":
		return behaviour{cut: true}
	case "9990":
		return behaviour{unavailable: 2}
	case "9989":
		return behaviour{late: true}
	case "9988":
		return behaviour{jumbled: true}
	case "9987":
		return behaviour{silent: true}
	case "9986":
		return behaviour{returned: true}
	case "9984":
		return behaviour{answers: true}
	case "9985":
		return behaviour{unauthorized: true}
	}
	return behaviour{}
}

// channel is what carries a letter. Automatisk Valg prints what cannot go to
// Digital Post; Fysisk Post does not ask who is registered. The rule of the
// real Automatisk Valg is not published.
func channel(valg string, does behaviour) string {
	switch {
	case valg == ValgNemSMS:
		return ChannelNemSMS
	case valg == ValgFysiskPost, valg == ValgAutomatisk && does.noDigitalPost:
		return ChannelFysiskPost
	}
	return ChannelDigitalPost
}

// mask hides all but the last four digits.
func mask(id string) string {
	if len(id) <= 4 {
		return "****"
	}
	return "******"[:min(6, len(id)-4)] + id[len(id)-4:]
}
