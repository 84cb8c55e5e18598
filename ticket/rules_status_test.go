package ticket_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// inTriage is a world whose new tickets are in the site's own status triage, with one that a client opened.
func inTriage(t *testing.T) (*world, ticket.Ticket) {
	t.Helper()
	w := newWorld(t, fake.Options{}, func(s *inbox.Settings) { s.CloseWaiting = true })
	w.open(false)
	w.choices()
	w.settings(inbox.InboxSettings{})
	return w, w.ask("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
}

// settings are those of the inbox, with triage as the status of new tickets.
func (w *world) settings(s inbox.InboxSettings) {
	w.t.Helper()
	s.DefaultStatus = "triage"
	_, err := w.inboxes.Edit(w.t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &s})
	require.NoError(w.t, err)
}

// Each row of the transition table as it is lived: by mail that comes in, by a task that is done, by time.
func TestEveryTransitionIsLived(t *testing.T) { // R-STA-02, R-STA-05, R-STA-06, R-STA-08, R-INB-14, R-INB-15, R-IMP-12
	t.Parallel()
	text, err := os.ReadFile("testdata/transitions.txt")
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(text)) {
		c := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
		if len(c) != 6 || strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		cause, from, locked, to, fresh := c[1], ticket.Status(c[2]), c[3] == "yes", ticket.Status(c[4]), c[5] == "yes"
		t.Run(fmt.Sprintf("%s %s of %s, locked %v", c[0], cause, from, locked), func(t *testing.T) {
			t.Parallel()
			w, offer := inTriage(t)
			answers := []string{"References: <ask@acme.com>", "Message-ID: <more@acme.com>"}
			if from == "none" {
				answers = answers[1:]
			} else if from != offer.Status {
				w.setStatus(offer.ID, from)
			}
			var task ticket.TaskID
			if cause == "last task completed" {
				task = w.linked("rita", offer.ID)
			}
			switch {
			case locked && from == ticket.Closed:
				w.settings(inbox.InboxSettings{OnClosed: inbox.LockNow})
			case locked:
				w.advance(120 * day)
				require.Equal(t, ticket.Aged{Archived: 1}, w.age())
			}
			w.advance(time.Minute)
			switch cause {
			case "customer message":
				w.deliver("ann@acme.com", "more", answers...)
			case "owner replies from mail client":
				w.deliverSent("ann@acme.com", "more", answers...)
			case "auto-reply or bounce":
				w.deliver("ann@acme.com", "more", append(answers, "Auto-Submitted: auto-replied")...)
			case "last task completed":
				w.complete(task)
			case "no answer for 72 hours":
				w.advance(72 * time.Hour)
				w.age()
			default:
				require.Fail(t, "nobody knows how this comes about", cause)
			}
			w.pull()
			if from == "none" {
				require.Equal(t, to, w.bySubject("more").Status)
				return
			}
			require.Equal(t, to, w.stored(offer.ID).Status)
			require.Equal(t, fresh, len(w.tickets()) == 2, "a new ticket")
			if fresh {
				require.Equal(t, 1, w.stored(offer.ID).Messages, "nothing is added to the old one")
			}
		})
	}
	require.Greater(t, rows, 40)
}

// What people do moves no status, but for a reply: to the status they pick, or to waiting.
func TestWhatTeammatesDoMovesOnlyTheStatusTheyPick(t *testing.T) { // R-STA-03, R-STA-08 (note, tag, assign; agent reply)
	t.Parallel()
	all := []ticket.Status{ticket.Active, ticket.Waiting, ticket.OnHold, ticket.Solved, ticket.Closed, ticket.Spam, "in-review"}
	for _, from := range all {
		t.Run(string(from), func(t *testing.T) {
			t.Parallel()
			w, offer := inTriage(t)
			ctx, rita := t.Context(), w.actor("rita")
			w.setStatus(offer.ID, from)
			w.note("rita", offer.ID, "a note")
			_, err := w.edit(offer.ID, ticket.Edit{AddTags: []string{"red"}, Assignee: new(acl.UserID("rita")), Priority: new("high"),
				Type: new("fault"), Source: new("fair"), Fields: map[string][]string{"contract": {"A-1"}}})
			require.NoError(t, err)
			_, err = w.svc.Follow(ctx, rita, offer.ID, "rob")
			require.NoError(t, err)
			w.linked("rita", offer.ID)
			w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "look"})
			require.Equal(t, from, w.stored(offer.ID).Status)

			w.advance(time.Minute)
			w.reply(offer.ID)
			require.Equal(t, ticket.Waiting, w.stored(offer.ID).Status, "R-STA-03: the usual choice")
			for _, to := range all {
				w.setStatus(offer.ID, from)
				w.advance(time.Minute)
				_, err := w.svc.Reply(ctx, rita, offer.ID, ticket.Reply{Text: "hello", Status: to})
				require.NoError(t, err)
				require.Equal(t, to, w.stored(offer.ID).Status)
			}
		})
	}
}

func TestWhatWaitsLeavesThePersonalActiveList(t *testing.T) { // R-STA-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Assign(t.Context(), w.actor("rita"), offer.ID, "rita")
	require.NoError(t, err)
	mine := ticket.Query{Assignee: "rita", Statuses: []ticket.Status{ticket.Active}}
	require.Equal(t, []string{"offer"}, w.listed("rita", mine))
	w.reply(offer.ID)
	require.Empty(t, w.listed("rita", mine))
	require.Equal(t, []string{"offer"}, w.listed("rita", ticket.ViewMine.Query("rita")), "it is hers still")
}

func TestAnArchivedTicketIsStillFoundAndCounted(t *testing.T) { // R-STA-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.setStatus(offer.ID, ticket.Solved)
	w.advance(120 * day)
	require.Equal(t, ticket.Aged{Archived: 1}, w.age())
	require.Len(t, w.search("rob", ticket.SearchQuery{Text: "body"}), 1)
	require.Equal(t, []string{"offer"}, w.listed("rob", ticket.Query{Customers: []inbox.CustomerID{offer.Customer}}), "the customer's history")
	counts, err := w.svc.Counts(t.Context(), w.actor("rob"), ticket.Query{})
	require.NoError(t, err)
	require.Equal(t, 1, counts.Status(ticket.Solved))
	require.Equal(t, []string{"offer"}, w.subjects("rob", offer.ID))
}
