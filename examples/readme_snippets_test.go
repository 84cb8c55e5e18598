package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"testing"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/examples/customstore"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// Every declaration of this file stands in README.md, word for word; TestREADMECompiles says so.

// work answers the newest ticket, asks an expert, and puts in order what is about the same or is not. It
// takes read-and-reply in both inboxes.
func work(ctx context.Context, tickets *ticket.Service, ravi acl.Actor, t, twin ticket.Ticket, billing inbox.ID) error {
	_, err := tickets.Reply(ctx, ravi, t.ID, ticket.Reply{Text: "On our way.", ExpectedLast: t.Latest})
	if err != nil {
		return err // nothing was sent: ticket.ErrStaleThread says that newer mail has come in
	}
	expert := []rfc822.Address{{Address: "expert@partner.example"}}
	child, sent, err := tickets.Forward(ctx, ravi, t.ID, ticket.Forward{To: expert, Text: "Can you help?"})
	if err != nil {
		return err
	}
	fmt.Println("ticket", child.Number, "takes the answers, its mail is", sent.Outgoing.State)
	if _, err = tickets.Merge(ctx, ravi, t.ID, []ticket.ID{twin.ID}); err != nil {
		return err
	}
	for hit, err := range tickets.Search(ctx, ravi, ticket.SearchQuery{Text: `invoice "second floor"`}) {
		if err != nil {
			return err
		}
		part, err := tickets.Split(ctx, ravi, hit.Ticket.ID, ticket.Split{Entry: hit.Entry.ID}) // that mail alone
		if err == nil {
			_, err = tickets.Move(ctx, ravi, part.ID, ticket.Move{To: billing})
		}
		return err
	}
	return nil
}

func TestMyStore(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(t *testing.T) inbox.Store {
		store, err := customstore.Open(t.Context(), t.TempDir()+"/store.jsonl") // yours
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	})
}

// still is a mailbox in which nothing ever changes: its mail, newest first, each with Raw.
type still []provider.Header

func (s still) Changes(_ context.Context, from provider.Cursor, _ provider.Walk) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		if from == "" {
			yield(provider.Batch{Put: s, Next: "walked"}, nil)
		}
	}
}

func (s still) Open(_ context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	for _, h := range s {
		if h.ID == id {
			return io.NopCloser(bytes.NewReader(h.Raw)), nil
		}
	}
	return nil, provider.ErrGone
}

// mailer tells people by mail. Content is nil for who wants notices without any.
type mailer struct {
	send func(ctx context.Context, to, subject, body string) error
}

func (m mailer) Notify(ctx context.Context, n inbox.Notice) error {
	subject := string(n.Event.Name)
	if n.Content != nil {
		subject += ": " + n.Content.Subject
	}
	return m.send(ctx, n.To.Addresses[0], subject, "https://agency.example/tickets/"+n.Event.Ticket)
}

func newGmail() (*gmail.Provider, error) {
	return gmail.New(gmail.Options{
		ClientID: os.Getenv("GMAIL_CLIENT_ID"), ClientSecret: os.Getenv("GMAIL_CLIENT_SECRET"),
		Quota: gmail.NewProject(),            // what your Cloud project may do
		Topic: "projects/agency/topics/mail", // without one, mailboxes are polled
	})
}

func servePush(mux *http.ServeMux, d *desk.Desk) error {
	push, err := gmail.PushHandler(gmail.PushOptions{
		Audience:       "https://agency.example/push/gmail",
		ServiceAccount: "push@agency.iam.gserviceaccount.com",
	}, d.Ringer(gmail.Kind))
	if err == nil {
		mux.Handle("/push/gmail", push)
	}
	return err
}
