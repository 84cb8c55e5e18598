package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// options are what the person asked for.
type options struct {
	mail    string // empty: the sample
	gmail   bool
	me      []string
	asOf    time.Time // zero: the newest received time
	days    int
	mode    filter.Mode
	clients []client
	exclude []filter.Exclusion
	preview bool
	db      string // empty: a temporary one
	json    bool
	sendTo  string // empty: to whom it is for, where mail cannot really leave
}

// client is one -client flag: a company and its domains.
type client struct {
	name    string
	domains []string
}

// errUsage is a flag that cannot be understood.
var errUsage = errors.New("run with -h for all flags")

func parseFlags(args []string, help io.Writer) (options, error) {
	o := options{days: 30}
	fs := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.mail, "mail", "", "your own mail: an mbox `path`, a Maildir or a folder of messages")
	fs.BoolVar(&o.gmail, "gmail", false, "connect a Gmail mailbox: yours when "+gmailID+" and "+gmailSecret+
		" are set, else one of a test server with the sample in it")
	fs.Func("me", "your `address`, more than once for aliases (default: the most frequent recipient)",
		func(s string) error { o.me = append(o.me, s); return checkAddress(s) })
	fs.Func("as-of", "the `day` or time the mailbox is connected at (default: the newest mail's)",
		func(s string) (err error) { o.asOf, err = parseTime(s); return err })
	fs.IntVar(&o.days, "days", o.days, "how many `days` back the import reaches; 0 is everything")
	fs.Func("mode", "`client` lets in mail of your clients, all lets in everything (default: client; "+
		"all for your own mail without -client)",
		func(s string) (err error) { o.mode, err = parseMode(s); return err })
	fs.Func("client", "a client, as `name=domain,domain`, such as Acme=acme.com,*.acme.eu; repeatable",
		func(s string) error { c, err := parseClient(s); o.clients = append(o.clients, c); return err })
	fs.Func("exclude", "a `domain` or address whose mail never enters; repeatable",
		func(s string) error {
			e, err := filter.ParseExclusion(s)
			o.exclude = append(o.exclude, e)
			return err
		})
	fs.BoolVar(&o.preview, "preview", false, "show what the rules would let in, and import nothing")
	fs.StringVar(&o.db, "db", "", "keep everything in this database `file`; a second run goes on there")
	fs.Func("send-to", "mail of the team goes to this `address` alone; with -gmail none is sent without it",
		func(s string) error { o.sendTo = s; return checkAddress(s) })
	fs.BoolVar(&o.json, "json", false, "print one JSON object and nothing else")

	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "usage: quickstart [flags]")
		fs.SetOutput(help)
		fs.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; %w", err, errUsage)
	case fs.NArg() > 0:
		return o, fmt.Errorf("%q is no flag (mail is given with -mail); %w", fs.Arg(0), errUsage)
	case o.gmail && (o.mail != "" || len(o.me) > 0 || !o.asOf.IsZero()):
		return o, fmt.Errorf("-gmail goes without -mail, -me and -as-of: the mailbox knows; %w", errUsage)
	case o.gmail && ownGmail() && os.Getenv(gmailSecret) == "":
		return o, fmt.Errorf("%s is set and %s is not; set both", gmailID, gmailSecret)
	case o.gmail && !ownGmail() && o.db != "":
		return o, errTestServer
	case o.days < 0 || o.days > math.MaxInt64/int(24*time.Hour):
		return o, fmt.Errorf("-days %d: give 0 or more, 0 for everything; %w", o.days, errUsage)
	}
	return o.withDefaults(), nil
}

// withDefaults fills in what depends on other flags.
func (o options) withDefaults() options {
	own := o.mail != "" || o.gmail && ownGmail()
	if !own {
		o = o.withSample()
	}
	if o.mode == "" {
		o.mode = filter.ClientAssociated
		if own && len(o.clients) == 0 {
			o.mode = filter.All
		}
	}
	return o
}

func isAddress(s string) bool {
	_, ok := filter.AddressDomain(s)
	return ok
}

func checkAddress(s string) error {
	if !isAddress(s) {
		return errors.New("not a mail address")
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("give a day such as 2017-12-01, or a time such as 2017-12-01T09:00:00Z")
}

func parseMode(s string) (filter.Mode, error) {
	switch s {
	case "client":
		return filter.ClientAssociated, nil
	case "all":
		return filter.All, nil
	}
	return "", errors.New("give client or all")
}

func parseClient(s string) (client, error) {
	name, list, ok := strings.Cut(s, "=")
	c := client{name: strings.TrimSpace(name), domains: strings.Split(list, ",")}
	if !ok || c.name == "" || strings.TrimSpace(list) == "" {
		return c, errors.New("give a name and its domains, such as Acme=acme.com,*.acme.eu")
	}
	var bad []error
	for _, d := range c.domains {
		_, err := filter.ParseCompanyPattern(d, filter.CompanyOptions{})
		bad = append(bad, err)
	}
	return c, errors.Join(bad...)
}
