package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// check returns everything wrong with an intent, whatever the channel, then what each of its channels says.
func (g *Gateway) check(ctx context.Context, i *Intent, now time.Time) []Problem {
	var ps problems
	ps.text("/reference", i.Reference, 1, MaxReference)
	ps.text("/dedupe", i.Dedupe, 0, MaxReference)
	sender, known := g.senders[i.Sender]
	if !known {
		ps.add("/sender", "sender.unknown", "There is no sender profile of this name.")
	}
	if !mobile(i.Recipient.Mobile.Reveal()) {
		ps.add("/recipient/mobile", "mobile.invalid", "A mobile number is eight digits, or + and seven to fifteen digits.")
	}
	ps.text("/content/title", i.Content.Title, 1, MaxText)
	if !slices.Contains(Priorities(), i.Priority) {
		ps.add("/send/priority", "priority.unknown", "A priority is urgent, normal or bulk.")
	}
	g.checkRoutes(&ps, i.Routes)
	g.checkTimes(&ps, i, now)
	for n, d := range i.Content.Documents {
		ps.list = append(ps.list, checkFilename(pointer("/content/documents", n, "/filename"), d.Filename)...)
		switch {
		case d.Size == 0:
			ps.add(pointer("/content/documents", n, "/content"), "document.empty", "The document has no bytes.")
		case d.Size > MaxDocument:
			ps.add(pointer("/content/documents", n, "/content"), "document.too_large",
				"The document is larger than 99,500,000 bytes.")
		}
	}
	for n, a := range i.Content.Actions {
		for _, p := range a.Validate(now) {
			ps.add(pointer("/content/actions", n, p.Pointer), p.Code, p.Detail)
		}
	}
	if (i.Content.CaseID == "") != (i.Content.CaseSystem == "") {
		ps.add("/content/case", "case.incomplete", "A case has both an id and a system.")
	}
	if known {
		g.checkChannels(ctx, &ps, i, sender)
	}
	return ps.list
}

func (g *Gateway) checkRoutes(ps *problems, routes []Route) {
	if len(routes) == 0 {
		ps.add("/routes", "required", "An intent has at least one route.")
	}
	for n, route := range routes {
		at := pointer("/routes", n, "")
		if len(route) == 0 {
			ps.add(at, "required", "A route names at least one channel.")
		}
		for k, name := range route {
			if _, known := g.channels[name]; !known {
				ps.add(pointer(at, k, ""), "channel.unknown", "This gateway has no channel of this name; it has: "+
					strings.Join(g.ChannelNames(), ", ")+".")
			}
			if slices.Index(route, name) != k {
				ps.add(pointer(at, k, ""), "channel.twice", "A route names each channel once.")
			}
		}
	}
}

func (g *Gateway) checkTimes(ps *problems, i *Intent, now time.Time) {
	switch {
	case i.Expires.IsZero():
	case !i.Expires.After(now):
		ps.add("/send/expires", "time.past", "The time is in the past.")
	case !i.NotBefore.Before(i.Expires):
		ps.add("/send/expires", "time.order", "The intent would expire before it may be sent.")
	default:
		g.checkOpening(ps, i, latest(now, i.NotBefore))
	}
	if i.Window != "" && !g.windows[i.Window] {
		ps.add("/send/window", "window.unknown", "There is no send window of this name.")
	}
	if !i.Content.ReplyBy.IsZero() && !i.Content.ReplyBy.After(now) {
		ps.add("/content/reply/by", "time.past", "The time is in the past.")
	}
}

// checkOpening finds a leg that would expire before the window of its first channel opens. A window that is not known is
// told by itself.
func (g *Gateway) checkOpening(ps *problems, i *Intent, from time.Time) {
	if i.Window != "" && !g.windows[i.Window] {
		return
	}
	for _, route := range i.Routes {
		if len(route) == 0 {
			continue
		}
		if opens := g.opens(i, route[0], from); !opens.Before(i.Expires) {
			ps.add("/send/expires", "time.closed", "The intent would expire while "+route[0]+" is closed; it opens at "+
				opens.UTC().Format(time.RFC3339)+".")
			return
		}
	}
}

// checkChannels asks every channel of every route once; a problem that two of them find is told once.
func (g *Gateway) checkChannels(ctx context.Context, ps *problems, i *Intent, sender Sender) {
	asked := make(map[string]bool)
	for _, route := range i.Routes {
		for _, name := range route {
			c, known := g.channels[name]
			if !known || asked[name] {
				continue
			}
			asked[name] = true
			for _, p := range c.Check(ctx, Letter{Intent: i, Sender: sender, Open: g.open(i)}) {
				if !slices.Contains(ps.list, p) {
					ps.list = append(ps.list, p)
				}
			}
		}
	}
}

// ChannelNames lists the channels of this gateway, sorted.
func (g *Gateway) ChannelNames() []string {
	names := make([]string, 0, len(g.channels))
	for name := range g.channels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// mobile reports whether s is no number at all, a Danish one (eight digits, the first from 2 to 9), or one of any country
// in E.164 form; spaces between digits do not count.
func mobile(s string) bool {
	digits := strings.ReplaceAll(s, " ", "")
	if rest, international := strings.CutPrefix(digits, "+"); international {
		return len(rest) >= 7 && len(rest) <= 15 && isDigits(rest, len(rest)) && rest[0] != '0'
	}
	return s == "" || isDigits(digits, 8) && digits[0] >= '2'
}

// problems collects what is wrong.
type problems struct{ list []Problem }

func (ps *problems) add(pointer, code, detail string) {
	ps.list = append(ps.list, Problem{Pointer: pointer, Code: code, Detail: detail})
}

// text demands between least and most characters of text that XML can carry.
func (ps *problems) text(pointer, s string, least, most int) {
	switch n := utf8.RuneCountInString(s); {
	case strings.TrimSpace(s) == "" && least > 0:
		ps.add(pointer, "required", "The text is missing.")
	case n > most:
		ps.add(pointer, "text.too_long", fmt.Sprintf("The text has %d characters, at most %d are allowed.", n, most))
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff }):
		ps.add(pointer, "text.invalid", "The text holds control characters.")
	}
}

// checkFilename demands a name of 1 to 256 characters on one line. What a channel forbids beyond that, it says itself.
func checkFilename(pointer, name string) []Problem {
	var ps problems
	ps.text(pointer, name, 1, MaxText)
	return ps.list
}

// pointer makes the JSON pointer of a list's entry, e.g. /content/actions/1/url.
func pointer(list string, n int, rest string) string { return list + "/" + strconv.Itoa(n) + rest }

func digest(b []byte) [32]byte { return sha256.Sum256(b) }
