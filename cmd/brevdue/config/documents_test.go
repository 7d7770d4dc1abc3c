package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
)

func TestDocumentsURL(t *testing.T) {
	t.Parallel()
	for url, text := range map[string]string{
		"file:documents":                           "",
		"s3://brevdue?region=eu-north-1":           "",
		"s3://brevdue?endpoint=https://s3.example": "",
		"s3://AKIA:hemmelig@brevdue":               "no credentials in the url",
		"s3://brevdue?secret_key=hemmelig":         "no credentials in the url",
		"s3://brevdue?endpoint=http://s3.example":  "must be https",
		"gs://brevdue":                             "unknown document store",
	} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(file(t, time.Now().Add(time.Hour), "windows:", `documents: {url: "`+url+`"}`+"\nwindows:"), nil)
			var found config.Errors
			if text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &found) || len(found) != 1 || found[0].Key != "documents.url" || !strings.Contains(found[0].Text, text) ||
				strings.Contains(err.Error(), "hemmelig") {
				t.Errorf("%v", err)
			}
		})
	}
}
