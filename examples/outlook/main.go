// Command outlook connects an Outlook mailbox, imports the last 30 days, shares it with a teammate and
// prints what they see. It is a program of its own because Microsoft's SDK takes minutes to compile
// the first time.
//
//	go run ./examples/outlook
//
// With WORKINBOX_OUTLOOK_CLIENT_ID and WORKINBOX_OUTLOOK_CLIENT_SECRET, of an application whose
// redirect address is http://localhost/connected, the mailbox is yours; without, it is one of a test
// server that behaves like Microsoft Graph. Nothing is kept.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

const (
	site = inbox.SiteID("agency")
	back = "http://localhost/connected"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "outlook:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	mail, browse, done, err := open(ctx, in, out)
	if err != nil {
		return err
	}
	defer done()
	store, people := memory.New(), memory.NewHost()
	people.SetSite(inbox.Settings{ID: site})
	for _, id := range []acl.UserID{"olivia", "ravi"} {
		people.AddPerson(inbox.Person{ID: id, Site: site, Role: acl.Agent, State: acl.Active})
	}
	d, err := desk.New(desk.Config{Store: store, Vault: store, Blobs: store, People: people, Sites: people,
		Providers: []provider.Provider{mail}})
	if err != nil {
		return err
	}
	id, err := setUp(ctx, d, browse)
	if err != nil {
		return err
	}
	ledger, err := d.Step(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Of %d mails %d are stored. What ravi sees:\n", ledger.Listed, ledger.Stored)
	ravi, err := d.Inboxes.Actor(ctx, site, "ravi")
	if err != nil {
		return err
	}
	for t, err := range d.Tickets.Tickets(ctx, ravi, ticket.Query{Limit: 10}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%4d  %-8s  %s\n", t.Number, t.Status, t.Subject)
	}
	return nil
}

// visit takes a person to a page and returns the address they are sent on to.
type visit func(page string) (*url.URL, error)

// setUp takes the four steps.
func setUp(ctx context.Context, d *desk.Desk, browse visit) (inbox.ID, error) {
	olivia, err := d.Inboxes.Actor(ctx, site, "olivia")
	if err != nil {
		return "", err
	}
	in, err := d.Inboxes.Create(ctx, olivia,
		inbox.Draft{Provider: outlook.Kind, Name: "Olivia's mail", Import: true})
	if err != nil {
		return "", err
	}
	if _, err = d.Inboxes.SetRules(ctx, olivia, in.ID, filter.Rules{Mode: filter.All}); err != nil {
		return "", err
	}
	page, err := d.Inboxes.Connect(ctx, olivia, in.ID, back)
	if err != nil {
		return "", err
	}
	there, err := browse(page)
	if err != nil {
		return "", err
	}
	if _, err = d.Inboxes.Consent(ctx, olivia, in.ID, inbox.ParseReturn(there.Query())); err != nil {
		return "", err
	}
	if _, err = d.Inboxes.Share(ctx, olivia, in.ID, acl.Grant{User: "ravi", Access: acl.ReadAndReply}); err != nil {
		return "", err
	}
	_, err = d.Inboxes.Finish(ctx, olivia, in.ID)
	return in.ID, err
}

// open takes the mailbox of the environment's application, or one of a test server.
func open(ctx context.Context, in io.Reader, out io.Writer) (mail *outlook.Provider, browse visit, done func(), err error) {
	if id := os.Getenv("WORKINBOX_OUTLOOK_CLIENT_ID"); id != "" {
		mail, err = outlook.New(outlook.Options{ClientID: id, ReadOnly: true,
			ClientSecret: os.Getenv("WORKINBOX_OUTLOOK_CLIENT_SECRET")})
		browse = func(page string) (*url.URL, error) {
			fmt.Fprintf(out, "Open this page, consent, and paste the address you are sent to:\n\n  %s\n\n", page)
			line, err := bufio.NewReader(in).ReadString('\n')
			if err != nil {
				return nil, err
			}
			return url.Parse(strings.TrimSpace(line))
		}
		return mail, browse, func() {}, err
	}
	server := outlooktest.New(nil, outlooktest.Config{})
	if err := fill(server); err != nil {
		server.Close()
		return nil, nil, nil, err
	}
	e := server.Endpoints()
	mail, err = outlook.New(outlook.Options{ClientID: outlooktest.ClientID, ClientSecret: outlooktest.ClientSecret,
		Endpoints: outlook.Endpoints{Authority: e.LoginURL, Graph: e.GraphURL}})
	browse = func(page string) (*url.URL, error) { return server.Follow(ctx, page) }
	return mail, browse, server.Close, err
}
