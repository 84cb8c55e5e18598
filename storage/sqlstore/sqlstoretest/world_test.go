package sqlstoretest_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// day is the time everything here happens around.
var day = time.Date(2026, time.March, 2, 9, 30, 0, 123456000, time.UTC)

func create(tb testing.TB, s *sqlstore.Store, id inbox.ID) {
	tb.Helper()
	_, err := s.CreateInbox(tb.Context(), inbox.Inbox{
		ID: id, Site: "acme", Kind: acl.Individual, Creator: "ann", State: inbox.StateActive, CreatedAt: day,
	})
	require.NoError(tb, err)
}

// open opens the file next to a store. The driver is there because sqlstoretest imports it.
func open(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	return openWith(tb, sqlstore.SQLiteDSN(path))
}

func openWith(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", dsn)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// openDSN migrates and opens a store on a data source of its own.
func openDSN(tb testing.TB, dsn string) *sqlstore.Store {
	tb.Helper()
	db := openWith(tb, dsn)
	require.NoError(tb, sqlstore.Migrate(tb.Context(), db, sqlstore.Options{}))
	s, err := sqlstore.Open(tb.Context(), db, sqlstore.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func state(tb testing.TB, s *sqlstore.Store, id inbox.ID) inbox.SyncState {
	tb.Helper()
	st, err := s.SyncState(tb.Context(), id)
	require.NoError(tb, err)
	return st
}

// await asks again and again whether something is so, and not for ever.
func await(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTimer(10 * time.Minute)
	defer patience.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-patience.C:
			tb.Fatalf("%s: not within ten minutes", what)
		}
	}
}

func remote(i int) provider.RemoteID { return provider.RemoteID(fmt.Sprintf("18f3a%011x", i)) }

// mails returns n messages with 15 kB of text each, numbered from first.
func mails(in inbox.ID, first, n int) []inbox.Put {
	text := strings.Repeat("Dear team, the shipment has not arrived yet.\n", 67)
	html := strings.Repeat("<p style=\"margin:0\">Dear team, the shipment has not arrived yet.</p>\n", 171)
	puts := make([]inbox.Put, n)
	for i := range puts {
		k := first + i
		id := inbox.MessageID(fmt.Sprintf("01jnb%s%017d", in[len(in)-1:], k))
		puts[i] = inbox.Put{
			Message: inbox.Message{
				ID: id, Site: "acme", Inbox: in, Remote: remote(k),
				Thread:     provider.ThreadID(fmt.Sprintf("18f3b%011x", k/3)),
				RFCID:      fmt.Sprintf("CAF%020d@mail.client-%d.example", k, k%40),
				References: []string{fmt.Sprintf("CAF%020d@mail.client-%d.example", k-1, k%40)},
				From:       []rfc822.Address{{Name: "Bob Builder", Address: fmt.Sprintf("bob.%d@client-%d.example", k%200, k%40)}},
				To:         []rfc822.Address{{Name: "Ann Agent", Address: "ann@acme.example"}},
				Cc:         []rfc822.Address{{Address: "office@acme.example"}, {Name: "Cleo", Address: "cleo@client-1.example"}},
				Subject:    fmt.Sprintf("Re: Shipment %d has not arrived", k),
				Preview:    strings.Repeat("Dear team, the shipment has not arrived. ", 4),
				Received:   day.Add(time.Duration(k) * time.Minute), Date: day, StoredAt: day,
				Direction: "inbound", Reason: "company_domain", Rules: 3, Imported: true,
				Customer: inbox.CustomerID(fmt.Sprintf("01jnc%021d", k%200)), Company: "01jnd000000000000000000001",
				Size: 21_000, Blob: inbox.BlobKey(fmt.Sprintf("%s/%064x", in, k)),
			},
			Content: inbox.Content{Message: id, Text: text, HTML: html},
		}
	}
	return puts
}

// filled returns a store with n messages in the inbox in-1.
func filled(tb testing.TB, n int) *sqlstore.Store {
	tb.Helper()
	s := sqlstoretest.Open(tb)
	create(tb, s, "in-1")
	for first := 0; first < n; first += 500 {
		imp := inbox.Import{State: state(tb, s, "in-1"), Put: mails("in-1", first, 500)}
		_, err := s.Commit(tb.Context(), imp)
		require.NoError(tb, err)
	}
	return s
}

// note returns a new ticket with one note in it.
func note(i int) ticket.Write {
	at := day.Add(time.Duration(i) * time.Minute)
	id := ticket.ID(fmt.Sprintf("01jne%021d", i))
	return ticket.Write{
		Ticket: ticket.Ticket{
			ID: id, Site: "acme", Inbox: "in-1", Threads: []inbox.ThreadID{inbox.ThreadID(fmt.Sprintf("18f3b%011x", i))},
			Subject: "Shipment has not arrived", Status: ticket.Active, Source: "email", Assignee: "ann",
			Customer: "01jnc000000000000000000001", Activity: at, CreatedAt: at,
		},
		Entries: []ticket.Entry{{
			ID: ticket.EntryID(fmt.Sprintf("01jnf%021d", i)), Inbox: "in-1", Kind: ticket.EntryNoted,
			At: at, Author: "ann", Text: strings.Repeat("They called again. ", 20),
		}},
	}
}
