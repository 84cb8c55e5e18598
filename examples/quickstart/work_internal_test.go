package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// sentMail reads what lies in the folder of sent mail beside a database, by whom it is to.
func sentMail(t *testing.T, db string) map[string]rfc822.Envelope {
	t.Helper()
	mails := make(map[string]rfc822.Envelope)
	files, err := os.ReadDir(db + ".sent")
	require.NoError(t, err)
	for _, f := range files {
		raw, err := os.Open(filepath.Join(db+".sent", f.Name()))
		require.NoError(t, err)
		m, err := rfc822.Parse(raw, rfc822.Limits{})
		require.NoError(t, err)
		require.NoError(t, raw.Close())
		to := m.Envelope.To
		require.Len(t, to, 1, f.Name())
		require.NotContains(t, mails, to[0].Address)
		mails[to[0].Address] = m.Envelope
	}
	return mails
}

// reopened is the host over the database of a run.
func reopened(t *testing.T, db string) (*host, acl.Actor) {
	t.Helper()
	o, err := parseFlags([]string{"-db", db}, nil)
	require.NoError(t, err)
	h, err := openHost(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.close()) })
	ravi, err := h.actor(t.Context(), replier)
	require.NoError(t, err)
	return h, ravi
}

func numbered(t *testing.T, h *host, who acl.Actor, number int64) ticket.Ticket {
	t.Helper()
	for found, err := range h.desk.Tickets.Tickets(t.Context(), who, ticket.Query{Number: number}) {
		require.NoError(t, err)
		return found
	}
	require.Fail(t, "no such ticket", "number %d", number)
	return ticket.Ticket{}
}

// TestADayOfWorkIsDone holds what the program says of it against the database and the sent mail
// (R-MSG-06, R-TKT-06, R-TKT-07).
func TestADayOfWorkIsDone(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	did := tryJSON(t, "-db", db).Work
	require.Equal(t, 2, did.Mails)
	require.Equal(t, ticket.OutgoingSent, did.Answer)
	require.Positive(t, did.Hits)
	require.Zero(t, did.StrangerHits, "found by somebody without access")
	require.Contains(t, did.Refused, "needs_read_and_reply")

	mails := sentMail(t, db)
	require.Len(t, mails, 2)
	require.Contains(t, mails, expert.Address)
	require.Contains(t, mails[expert.Address].Subject, "Fwd: ")
	for _, m := range mails {
		require.Equal(t, "rfscholte@apache.org", m.From[0].Address, "mail leaves from the mailbox")
	}

	h, ravi := reopened(t, db)
	answered := numbered(t, h, ravi, did.Answered)
	require.Equal(t, ticket.Waiting, answered.Status)
	forwarded := numbered(t, h, ravi, did.Forwarded)
	children, unseen, err := h.desk.Tickets.Children(t.Context(), ravi, forwarded.ID)
	require.NoError(t, err)
	require.Zero(t, unseen)
	require.Len(t, children, 1)
	require.Equal(t, did.Child, children[0].Number)
	into, split := numbered(t, h, ravi, did.Into), numbered(t, h, ravi, did.Split)
	require.Len(t, into.MergedFrom, 1)
	merged, err := h.desk.Tickets.Ticket(t.Context(), ravi, into.MergedFrom[0])
	require.NoError(t, err)
	require.Equal(t, did.Merged, merged.Number)
	require.Equal(t, into.ID, merged.MergedInto)
	require.Zero(t, merged.Messages)
	require.Equal(t, 1, split.Messages)
	require.Equal(t, into.Customer, split.Customer)
}

func TestASecondRunSendsNoSecondMail(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	first := tryJSON(t, "-db", db).Work
	mails := sentMail(t, db)
	for range 2 {
		again := tryJSON(t, "-db", db).Work
		require.Zero(t, again.Mails)
		again.Mails = first.Mails
		require.Equal(t, first, again, "what was done")
	}
	code, stdout, stderr := try(t, "-db", db)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "in an earlier run (sent): no second mail\n")
	require.Equal(t, mails, sentMail(t, db))
}

// TestWorkGoesOnWhereARunWasStopped has a run that got as far as the draft.
func TestWorkGoesOnWhereARunWasStopped(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	require.Equal(t, 32, tryJSON(t, "-db", db).Stored)
	h, ravi := reopened(t, db)
	s := &shift{host: h, ravi: ravi, sends: true}
	require.NoError(t, s.begin(t.Context()))
	fresh := s.list[len(s.list)-1]
	draft := ticket.Draft{Kind: ticket.EntryReplied, Text: "Thank"}
	_, err := h.desk.Tickets.SaveDraft(t.Context(), ravi, fresh.ID, draft)
	require.NoError(t, err)
	draft.Text = "Thank you."
	_, e, err := s.send(t.Context(), fresh, draft)
	require.NoError(t, err)
	require.Equal(t, "Thank you.", e.Text)
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
	_, err = h.desk.Tickets.Draft(t.Context(), ravi, fresh.ID)
	require.Error(t, err, "the draft is left")
}

func TestWordsOfASubject(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"Re: [VOTE] Release Apache Maven": `Release "Apache Maven"`,
		"Any ETA?":                        "",
		"Re: Invoice 17":                  "Invoice",
		"Re: Rückfrage zur Rechnung":      "Rückfrage",
		"":                                "",
	} {
		require.Equal(t, want, wordsOf(subject), "words of %q", subject)
	}
}
