package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

// connect takes steps 1 to 3 of the set-up: create, choose what may enter, connect. What an earlier
// run has done already stays as it is.
func (h *host) connect(ctx context.Context, o options, out, stderr io.Writer) (in inbox.Inbox, err error) {
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return in, err
	}
	if h.kept != nil {
		in = *h.kept
		fmt.Fprintf(out, "Going on with inbox %q of this database; -mode, -client, -exclude and -days "+
			"stay as they were.\n", in.Name)
	} else {
		in, err = h.desk.Inboxes.Create(ctx, actor, inbox.Draft{
			Provider: h.service.Kind(), Name: h.name(), Import: true, Window: window(o.days),
		})
		if err != nil {
			return in, err
		}
		fmt.Fprintf(out, "1. Created inbox %q, import of %s.\n", in.Name, describeDays(o.days))
	}
	if len(in.Revisions) == 0 {
		if err := h.addClients(ctx, o.clients); err != nil {
			return in, err
		}
		in, err = h.desk.Inboxes.SetRules(ctx, actor, in.ID, filter.Rules{Mode: o.mode, Exclude: o.exclude})
		if err != nil {
			return in, err
		}
		fmt.Fprintf(out, "2. Chose what may enter: %s.\n", describeRules(o))
	}
	if !in.ConnectedAt.IsZero() && in.State != inbox.StateNeedsReauth {
		return in, nil
	}
	in, err = h.consent(ctx, actor, in.ID, stderr)
	if err != nil {
		return in, err
	}
	h.know(in.Account)
	fmt.Fprintf(out, "3. Connected at %s.\n", in.ConnectedAt.Format(time.DateTime))
	return in, nil
}

// name is what the inbox is called.
func (h *host) name() string {
	if len(h.me) == 0 {
		return "Mail of " + string(h.service.Kind())
	}
	return "Mail of " + h.me[0]
}

// consent sends the person to the service's page, and takes what comes back.
func (h *host) consent(ctx context.Context, actor acl.Actor, id inbox.ID, stderr io.Writer) (inbox.Inbox, error) {
	page := func(redirect string) (string, error) {
		return h.desk.Inboxes.Connect(ctx, actor, id, redirect)
	}
	back, err := h.visit(ctx, page, stderr)
	if err != nil {
		return inbox.Inbox{}, err
	}
	return h.desk.Inboxes.Consent(ctx, actor, id, inbox.ParseReturn(back))
}

// finish takes step 4, share and finish, and starts the clock.
func (h *host) finish(ctx context.Context, in inbox.Inbox, out io.Writer) (inbox.Inbox, error) {
	defer h.clock.run()
	if !in.FinishedAt.IsZero() {
		return in, nil
	}
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return in, err
	}
	if in, err = h.desk.Inboxes.Share(ctx, actor, in.ID, grants()...); err != nil {
		return in, err
	}
	if in, err = h.desk.Inboxes.Finish(ctx, actor, in.ID); err != nil {
		return in, err
	}
	fmt.Fprintf(out, "4. Shared with %d teammates, and finished.\n\n", len(in.Grants))
	return in, nil
}

// addClients enters the companies that are not there yet.
func (h *host) addClients(ctx context.Context, clients []client) error {
	actor, err := h.actor(ctx, siteOwner)
	if err != nil {
		return err
	}
	there := make(map[string]bool)
	for c, err := range h.desk.Inboxes.Companies(ctx, actor, inbox.CompanyQuery{}) {
		if err != nil {
			return err
		}
		there[c.Name] = true
	}
	for _, c := range clients {
		if there[c.name] {
			continue
		}
		_, err = h.desk.Inboxes.CreateCompany(ctx, actor, inbox.CompanyEdit{Name: c.name, Domains: c.domains})
		if err != nil {
			return fmt.Errorf("client %q: %w", c.name, err)
		}
	}
	return nil
}

// preview prints what the rules would let in. Nothing is stored.
func (h *host) preview(ctx context.Context, id inbox.ID, out io.Writer, asJSON bool) error {
	actor, err := h.actor(ctx, mailboxOwner)
	if err != nil {
		return err
	}
	p, err := h.desk.Inboxes.Preview(ctx, actor, id, nil)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(p)
	}
	fmt.Fprintf(out, "\nOf %d mails %d would enter; %d more are delivery reports, decided when read.\n",
		p.Listed, p.Accepted, p.Opened)
	writeReasons(out, p.Reasons)
	fmt.Fprintln(out, "\nBy domain of the sender, in and out:")
	rows := table{}
	for _, d := range byCount(p.Domains, func(n inbox.DomainCount) int { return n.Accepted + n.Rejected }) {
		rows.add("  "+d, fmt.Sprint(p.Domains[d].Accepted), fmt.Sprint(p.Domains[d].Rejected))
	}
	rows.write(out)
	return nil
}

func window(days int) time.Duration {
	if days == 0 {
		return -1 // everything
	}
	return time.Duration(days) * 24 * time.Hour
}

func describeDays(days int) string {
	if days == 0 {
		return "all mail"
	}
	return fmt.Sprintf("the last %d days", days)
}

func describeRules(o options) string {
	text := "all mail"
	if o.mode == filter.ClientAssociated {
		names := make([]string, len(o.clients))
		for i, c := range o.clients {
			names[i] = c.name
		}
		text = "mail of clients (" + strings.Join(names, ", ") + ")"
	}
	if len(o.exclude) == 0 {
		return text
	}
	out := make([]string, len(o.exclude))
	for i, e := range o.exclude {
		out[i] = e.String()
	}
	return text + ", none of " + strings.Join(out, ", ")
}
