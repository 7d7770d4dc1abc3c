package queue

import (
	"errors"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://h":                                             "redis h:6379",
		"redis://h:1/2":                                         "redis h:1 db",
		"redis://[::1]:7":                                       "redis [::1]:7",
		"rediss://u:p@h:1?ca_file=/x":                           "redis tls h:1 login",
		"redis-sentinel://a,b:2,c:3/1?master=m":                 "redis-sentinel a:26379 b:2 c:3 db",
		"rediss-sentinel://a:1?master=m&sentinel_user=s":        "redis-sentinel tls a:1",
		"redis-cluster://:p%40w@a:7000,b:7001,c:7002":           "redis-cluster a:7000 b:7001 c:7002 login",
		"rediss-cluster://a:7000?certificate_file=c&key_file=k": "redis-cluster tls a:7000",
	} {
		a, err := parse(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		got := a.kind
		if a.tls {
			got += " tls"
		}
		got += " " + strings.Join(a.hosts, " ")
		if a.db > 0 {
			got += " db"
		}
		if a.password != "" {
			got += " login"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                                   "scheme",
		"redis:h":                            "scheme",
		"http://h":                           "scheme",
		"redissentinel://h":                  "scheme",
		"redis://":                           "host 1",
		"redis://a:1,b:1":                    "several hosts",
		"redis://h:99999":                    "host 1",
		"redis-cluster://a:1,,c:1":           "host 2",
		"redis-cluster://a:1/3":              "database",
		"redis://h/-1":                       "database",
		"redis://h/x":                        "database",
		"redis-sentinel://a:1":               "master",
		"redis://h?ca_file=x":                "parameter",
		"rediss://h?ca-file=x":               "parameter",
		"rediss://h?key_file=x":              "belong together",
		"redis://h?password_file=%zz":        "cannot be parsed",
		"redis://u:s3cret%zz@h":              "%XX",
		"redis-cluster://u:s3cret@a:1,b c:2": "host 2",
	} {
		err := CheckURL(url)
		if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, url := range []string{"embedded", "redis://u:p@h:1/2", "rediss-cluster://a,b:1?ca_file=x", "redis-sentinel://a?master=m"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		a, err := parse(url)
		if err != nil {
			if !errors.Is(err, ErrURL) {
				t.Fatal(err)
			}
			return
		}
		if len(a.hosts) == 0 || a.db < 0 {
			t.Fatalf("taken without a host or with database %d", a.db)
		}
	})
}
