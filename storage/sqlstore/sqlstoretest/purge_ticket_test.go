package sqlstoretest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// What is left of a ticket that is forgotten would be seen by nobody, and stay for ever.
func TestPurgedTicketLeavesNoRow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		on := sqlstoretest.New(t, d)
		s := on.Store(t)
		rows := func() map[string]int {
			tables := []string{"tickets", "ticket_threads", "entries", "search", "reads", "drafts"}
			if d != sqlstore.Postgres { // which has the words in the rows of search
				tables = append(tables, "search_words")
			}
			n := make(map[string]int)
			for _, table := range tables {
				var count int
				row := on.DB.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+on.Table(table))
				require.NoError(t, row.Scan(&count), table)
				n[table] = count
			}
			return n
		}
		fill := func(i int) ticket.Ticket {
			w := note(i)
			w.Ticket.Threads = []inbox.ThreadID{"shared", inbox.ThreadID(w.Ticket.ID)}
			text := ticket.Text{Entry: w.Entries[0].ID, Files: true}
			text.Words[0], text.Words[3] = []string{"common", word(i)}, []string{"text"}
			w.Texts = []ticket.Text{text}
			saved, err := s.SaveTickets(t.Context(), []ticket.Write{w})
			require.NoError(t, err)
			for _, who := range []acl.UserID{"ann", "bob"} {
				require.NoError(t, s.SaveReading(t.Context(), w.Ticket.ID, who, day))
				_, err := s.SaveDraft(t.Context(), ticket.Draft{Site: "acme", Ticket: w.Ticket.ID, Author: who,
					Entry: ticket.EntryID(w.Ticket.ID) + "/" + ticket.EntryID(who)}, "")
				require.NoError(t, err)
			}
			return saved[0]
		}
		one := fill(1)
		before := rows()
		for table, n := range before {
			require.Positive(t, n, "rows of %s", table)
		}
		gone := fill(2)
		for table, n := range rows() {
			require.Greater(t, n, before[table], "rows of %s after a second ticket", table)
		}
		require.NoError(t, s.PurgeTicket(t.Context(), gone.ID, gone.Version))
		require.Equal(t, before, rows(), "rows after it was purged")
		// An entry whose mail lies in another inbox, as a ticket has that one was merged into from there.
		e := ticket.Entry{ID: "elsewhere", Ticket: one.ID, Inbox: "in-2", Kind: ticket.EntryReceived, At: day, Message: "m"}
		text := ticket.Text{Entry: e.ID}
		text.Words[0] = []string{"elsewhere"}
		_, err := s.SaveTickets(t.Context(), []ticket.Write{{Ticket: one, Entries: []ticket.Entry{e}, Texts: []ticket.Text{text}}})
		require.NoError(t, err)
		require.NotEqual(t, before, rows(), "rows with an entry of another inbox")
		require.NoError(t, s.PurgeTickets(t.Context(), "in-2"))
		require.Equal(t, before, rows(), "rows after that inbox was purged")

		fill(3)
		require.NoError(t, s.PurgeTickets(t.Context(), one.Inbox))
		for table, n := range rows() {
			require.Zero(t, n, "rows of %s after the inbox was purged", table)
		}
	})
}
