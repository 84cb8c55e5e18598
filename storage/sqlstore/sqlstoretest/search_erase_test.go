package sqlstoretest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// What an entry was found by goes from the file with it, out of the index too: when its text is taken
// out, when it is replaced, and when its ticket or its inbox is purged.
func TestErasedWordsAreNotInTheFile(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		erase func(t *testing.T, s *sqlstore.Store, w ticket.Write)
	}{
		{"taken out", func(t *testing.T, s *sqlstore.Store, w ticket.Write) {
			w.Texts = []ticket.Text{{Entry: w.Entries[0].ID}}
			_, err := s.SaveTickets(t.Context(), []ticket.Write{w})
			require.NoError(t, err)
		}},
		{"replaced", func(t *testing.T, s *sqlstore.Store, w ticket.Write) {
			w.Texts[0].Words = [ticket.FieldCount][]string{{"other"}}
			_, err := s.SaveTickets(t.Context(), []ticket.Write{w})
			require.NoError(t, err)
		}},
		{"purged", func(t *testing.T, s *sqlstore.Store, w ticket.Write) {
			require.NoError(t, s.PurgeTickets(t.Context(), w.Ticket.Inbox))
		}},
		{"purged alone", func(t *testing.T, s *sqlstore.Store, w ticket.Write) {
			require.NoError(t, s.PurgeTicket(t.Context(), w.Ticket.ID, w.Ticket.Version))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "store.db")
			s := sqlstoretest.OpenIn(t, path)
			var secret ticket.Write
			for i := range 40 {
				w := note(i)
				e := &w.Entries[0]
				w.Ticket.Inbox, e.Inbox = "in-1", "in-1"
				text := ticket.Text{Entry: e.ID}
				text.Words[3] = []string{"common", fmt.Sprint("word", i)}
				if i == 20 {
					w.Ticket.Inbox, e.Inbox = "in-2", "in-2"
					text.Words[0] = []string{"xsubjectnobodyuses"}
					text.Words[3] = []string{"common", "qtextnobodyuses"}
				}
				w.Texts = []ticket.Text{text}
				saved, err := s.SaveTickets(t.Context(), []ticket.Write{w})
				require.NoError(t, err)
				if i == 20 {
					secret = w
					secret.Ticket = saved[0]
				}
			}
			inFile := func() (words []string) {
				_, err := open(t, path).ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
				require.NoError(t, err)
				raw, err := os.ReadFile(path)
				require.NoError(t, err)
				for _, word := range []string{"subjectnobodyuses", "textnobodyuses"} {
					if strings.Contains(string(raw), word) {
						words = append(words, word)
					}
				}
				return words
			}
			require.Len(t, inFile(), 2, "before")
			row.erase(t, s, secret)
			require.Empty(t, inFile(), "after")
		})
	}
}
