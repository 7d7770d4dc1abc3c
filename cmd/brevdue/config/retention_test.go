package config

import (
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	good := Retention{
		Default: Kept{Documents: "365d", Content: "1825d", Identifiers: "3650d"},
		Senders: map[string]Kept{"jobcenter": {Documents: "36h"}}, Uploads: "30d", At: "03:15",
	}
	var f findings
	good.check(&f)
	p := good.Policy()
	if hour, minute := good.Night(); len(f.list) > 0 || p.Default.Documents != 365*24*time.Hour || hour != 3 || minute != 15 ||
		p.Of("jobcenter").Documents != 36*time.Hour || p.Of("jobcenter").Content != 0 || p.Of("another") != p.Default {
		t.Errorf("%v %+v", f.list, p)
	}
	if none := (&Retention{}).Policy(); !none.Empty() {
		t.Error("something is erased without a section")
	}
	for key, r := range map[string]Retention{
		"retention.default.documents":     {Default: Kept{Documents: "365"}},
		"retention.default":               {Default: Kept{Documents: "365d", Content: "10d"}},
		"retention.inbound.content":       {Inbound: Kept{Documents: "1d", Content: "-5d"}},
		"retention.senders.a":             {Senders: map[string]Kept{"a": {Identifiers: "5d"}}},
		"retention.senders.b.identifiers": {Senders: map[string]Kept{"b": {Identifiers: "99999999d"}}},
		"retention.uploads":               {Uploads: "0d"},
		"retention.at":                    {At: "25:00"},
		"retention.grace":                 {Grace: time.Minute},
		"retention.rate":                  {Rate: -1},
	} {
		var f findings
		r.check(&f)
		if len(f.list) == 0 || f.list[0].Key != key {
			t.Errorf("%s: %v", key, f.list)
		}
	}
}
