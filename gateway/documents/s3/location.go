package s3

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// location is what an address says.
type location struct {
	bucket    string
	region    string // "": the environment's
	endpoint  string // "": Amazon's
	prefix    string // "" or ending in a slash
	pathStyle bool   // the bucket stands in the path, not in the host's name
}

// Bucket names, by Amazon's rules for general purpose buckets, and the characters that are safe in every key.
var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	prefixName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?$`)
)

// CheckURL says what is wrong with the address of a store:
//
//	s3://BUCKET?region=REGION&endpoint=URL&prefix=PREFIX&path_style=true
//
// Every parameter may be absent. endpoint is the service's address where that is not Amazon; it must be https, but for one on
// this machine. The error never repeats what the address holds.
func CheckURL(address string) error {
	_, err := parse(address)
	return err
}

func parse(address string) (location, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" {
		return location{}, errors.New("documents: the url must be s3://BUCKET?region=...&endpoint=...&prefix=...&path_style=true")
	}
	if u.User != nil {
		return location{}, errCredentials
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return location{}, errors.New("documents: a place within the bucket is given as ?prefix=")
	}
	if !bucketName.MatchString(u.Host) || strings.Contains(u.Host, "..") {
		return location{}, errors.New("documents: s3:// is followed by the name of a bucket")
	}
	l := location{bucket: u.Host}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, errors.New("documents: the part after ? of the url cannot be read") // not err: it repeats the part
	}
	for name, values := range query {
		if len(values) != 1 || values[0] == "" {
			return location{}, fmt.Errorf("documents: %s needs one value", known(name))
		}
		if err := l.set(name, values[0]); err != nil {
			return location{}, err
		}
	}
	return l, nil
}

var errCredentials = errors.New("documents: no credentials in the url: " +
	"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE")

// known is the name of a parameter, fit for an error.
func known(name string) string {
	switch name {
	case "region", "endpoint", "prefix", "path_style":
		return name
	}
	return "a parameter"
}

func (l *location) set(name, value string) error {
	switch name {
	case "region":
		if !regionName.MatchString(value) {
			return errors.New("documents: region is lower-case letters, digits and hyphens")
		}
		l.region = value
	case "endpoint":
		if err := checkEndpoint(value); err != nil {
			return err
		}
		l.endpoint = value
	case "prefix":
		if len(value) > 512 || !prefixName.MatchString(value) {
			return errors.New("documents: prefix is folders of letters, digits, '.', '_' and '-', with slashes between them")
		}
		l.prefix = strings.TrimSuffix(value, "/") + "/"
	case "path_style":
		is, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("documents: path_style is true or false")
		}
		l.pathStyle = is
	default:
		if strings.Contains(strings.ToLower(name), "key") || strings.Contains(strings.ToLower(name), "token") {
			return errCredentials
		}
		return errors.New("documents: the url knows region, endpoint, prefix and path_style, and nothing else")
	}
	return nil
}

func checkEndpoint(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("documents: endpoint is https://HOST or https://HOST:PORT")
	}
	if u.User != nil {
		return errCredentials
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("documents: endpoint is https://HOST or https://HOST:PORT, without a path")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return errors.New("documents: endpoint must be https: letters do not travel in the clear")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
