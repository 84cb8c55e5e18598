package main

import (
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// sample is one month of a public mailing list (sample/LICENSE.note).
//
//go:embed sample/maven-dev-2017-11.mbox
var sample []byte

// withSample fills in what makes the sample worth looking at: the mailbox of one who writes to the
// list, at the end of the month, with some of the others as clients and the machine's mail excluded.
func (o options) withSample() options {
	if len(o.me) == 0 {
		o.me = []string{"rfscholte@apache.org"}
	}
	if o.asOf.IsZero() {
		o.asOf = time.Date(2017, time.December, 1, 0, 0, 0, 0, time.UTC)
	}
	if len(o.clients) == 0 {
		o.clients = []client{
			{"Oracle", []string{"oracle.com"}},
			{"TU Darmstadt", []string{"*.tu-darmstadt.de"}},
			{"simpligility", []string{"simpligility.com"}},
			{"io7m", []string{"io7m.com"}},
			{"Talios", []string{"talios.com"}},
		}
	}
	if o.exclude == nil {
		git, err := filter.ParseExclusion("git.apache.org")
		if err != nil {
			panic(err) // the text stands in the line above
		}
		o.exclude = []filter.Exclusion{git}
	}
	return o
}

// writeSample puts the sample into a folder and returns its path.
func writeSample(dir string) (string, error) {
	path := filepath.Join(dir, "maven-dev-2017-11.mbox")
	return path, os.WriteFile(path, sample, 0o600)
}
