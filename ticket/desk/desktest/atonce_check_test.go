package desktest_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// requireAgreement holds what is kept against all else that tells of it.
func (c *crowd) requireAgreement() {
	all := c.stored()
	entries := make(map[ticket.ID][]ticket.Entry)
	for _, t := range all {
		entries[t.ID] = c.entriesOf(ticket.EntryQuery{Ticket: t.ID})
		c.requireOwnCounts(&t, entries[t.ID])
		c.requireExplained(&t, entries[t.ID])
	}
	c.requireEachOnce(entries)
	for _, in := range c.ref.inboxes {
		c.requireMailIs(in.id, entries)
	}
	for _, who := range modelPeople {
		c.requireCountsAreLists(who)
	}
	c.requireFound(all, entries)
}

// requireOwnCounts checks what a ticket says of its history.
func (c *crowd) requireOwnCounts(t *ticket.Ticket, lines []ticket.Entry) {
	mails, shown := 0, 0
	for _, e := range lines {
		if e.Message != "" || !e.RedactedAt.IsZero() {
			mails++
			if !e.Hidden {
				shown++
			}
		}
		require.True(c.t, e.RedactedAt.IsZero() || e.Message == "", "mail %s of %s was redacted and is still there", e.ID, t.ID)
		require.True(c.t, t.MergedInto == "" || e.Kind == ticket.EntryChanged, "%s of %s, which was merged", e.Kind, t.ID)
	}
	require.Equal(c.t, [2]int{mails, shown}, [2]int{t.Messages, t.Shown}, "mails of %s, merged into %q", t.ID, t.MergedInto)
}

// requireExplained checks that the lines of an option lead from one value to the one it has.
func (c *crowd) requireExplained(t *ticket.Ticket, lines []ticket.Entry) {
	for field, now := range map[string]string{"status": string(t.Status), "assignee": string(t.Assignee), "priority": t.Priority} {
		more := make(map[string]int) // how often the option came to a value, less how often it left it
		for _, e := range lines {
			if e.Change != nil && e.Change.Field == field {
				more[e.Change.To]++
				more[e.Change.From]--
			}
		}
		for value, n := range more {
			switch {
			case n == 0, n == 1 && value == now:
			default:
				require.True(c.t, n == -1 && value != now, "the %s of %s is %q; its history came to %q %+d times", field, t.ID, now, value, n)
			}
		}
		require.True(c.t, len(more) == 0 || more[now] >= 0, "the %s of %s is %q, which its history left", field, t.ID, now)
	}
}

// requireEachOnce checks that what was written is in one place, and what was sent left once. What was
// purged may be nowhere.
func (c *crowd) requireEachOnce(entries map[ticket.ID][]ticket.Entry) {
	notes, sent, mails, left := make(map[string]int), make(map[string]int), make(map[string]int), make(map[string]int)
	for _, lines := range entries {
		for _, e := range lines {
			if e.Kind == ticket.EntryNoted {
				notes[e.Text]++
			}
			if e.RFCID != "" {
				mails[string(e.Inbox)+e.RFCID]++
			}
			if e.Outgoing != nil {
				sent[string(e.ID)]++
			}
		}
	}
	for _, account := range c.accounts {
		for _, s := range account.Sends() {
			left[s.MessageID]++
		}
	}
	for list, found := range map[*[]string]map[string]int{&c.noted: notes, &c.sent: sent} {
		for _, word := range *list {
			require.LessOrEqual(c.t, found[word], 1, "entries of %s", word)
			require.True(c.t, c.purged || found[word] == 1, "%s is lost", word)
		}
	}
	for word, n := range mails {
		require.Equal(c.t, 1, n, "entries of mail %s", word)
	}
	for id, n := range left {
		require.Equal(c.t, 1, n, "mail %s was sent again", id)
	}
}

// requireMailIs checks that the mail of an inbox is in tickets, and the blobs in mail, each way.
func (c *crowd) requireMailIs(in inbox.ID, entries map[ticket.ID][]ticket.Entry) {
	ctx := c.t.Context()
	var mails, ofTickets []inbox.MessageID
	var blobs, named []inbox.BlobKey
	for m, err := range c.store.Messages(ctx, inbox.MessageQuery{Inbox: in, Hidden: true}) {
		require.NoError(c.t, err)
		mails, named = append(mails, m.ID), append(named, m.Blob)
	}
	for b, err := range c.store.blobs.Blobs(ctx, in) {
		require.NoError(c.t, err)
		blobs = append(blobs, b.Key)
	}
	for _, e := range c.entriesOf(ticket.EntryQuery{Inbox: in}) {
		same := func(x ticket.Entry) bool { return x.ID == e.ID }
		require.True(c.t, slices.ContainsFunc(entries[e.Ticket], same), "entry %s is of ticket %q, which has none", e.ID, e.Ticket)
		if e.Message != "" {
			ofTickets = append(ofTickets, e.Message)
		}
		if e.Outgoing != nil && e.Outgoing.Blob != "" {
			named = append(named, e.Outgoing.Blob)
		}
	}
	require.ElementsMatch(c.t, mails, ofTickets, "mail of %s and that of its tickets", in)
	for _, key := range named {
		require.Contains(c.t, blobs, key, "a blob that is named in %s", in)
	}
	for _, key := range blobs {
		require.True(c.t, slices.Contains(named, key) || c.keptOut(key), "nothing in %s names blob %s", in, key)
	}
}

// keptOut says that a blob is the mail of a stranger that was fetched when strangers were let in and not
// any more when it was to be stored. A sync leaves that to the sweep of the blobs.
func (c *crowd) keptOut(key inbox.BlobKey) bool {
	r, err := c.store.blobs.OpenBlob(c.t.Context(), key)
	require.NoError(c.t, err)
	raw, err := io.ReadAll(r)
	require.NoError(c.t, errors.Join(err, r.Close()))
	return strings.HasPrefix(string(raw), "From: "+stranger)
}

func (c *crowd) requireCountsAreLists(who acl.UserID) {
	counts, err := c.svc.Counts(c.t.Context(), c.actor(who), ticket.Query{})
	require.NoError(c.t, err)
	inboxes := make(map[inbox.ID]int)
	met := make(map[ticket.ID]bool)
	for t, err := range c.svc.Tickets(c.t.Context(), c.actor(who), ticket.Query{}) {
		require.NoError(c.t, err)
		require.False(c.t, met[t.ID], "%s is listed twice", t.ID)
		met[t.ID] = true
		inboxes[t.Inbox]++
	}
	for _, in := range c.ref.inboxes {
		require.Equal(c.t, inboxes[in.id], counts.Inbox(in.id), "tickets of %s as %s counts and lists them", in.id, who)
	}
}

// requireFound checks that a word is found where it stands, and nowhere else.
func (c *crowd) requireFound(all []ticket.Ticket, entries map[ticket.ID][]ticket.Entry) {
	ctx := c.t.Context()
	stands := make(map[string][]ticket.ID)
	for _, t := range all {
		if t.MergedInto != "" || !t.DeletedAt.IsZero() || t.Hidden() {
			continue
		}
		for _, e := range entries[t.ID] {
			text := e.Text
			if e.Message != "" {
				m, err := c.store.Message(ctx, e.Message)
				require.NoError(c.t, err)
				text += " " + m.Subject
			} else if e.Outgoing != nil {
				text += " " + e.Outgoing.Subject
			}
			for _, word := range strings.Fields(text) {
				if !slices.Contains(stands[word], t.ID) {
					stands[word] = append(stands[word], t.ID)
				}
			}
		}
	}
	for n := range c.given {
		word := fmt.Sprintf("word%d", n+1)
		found := []ticket.ID{}
		for h, err := range c.svc.Search(ctx, c.actor("olga"), ticket.SearchQuery{Text: word}) {
			require.NoError(c.t, err)
			found = append(found, h.Ticket.ID)
		}
		require.ElementsMatch(c.t, stands[word], found, "tickets with %s", word)
	}
}
