package desktest_test

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// forwards passes two tickets of A on to B: one without its history, one with what may be shown of it.
func (w *leakWorld) forwards() {
	ctx, s := w.t.Context(), w.desk.Tickets
	child, _, err := s.Forward(ctx, w.actor("carl"), w.ticket("zqplainsubject"), ticket.Forward{
		Inbox: w.b, NoHistory: true, NoFiles: true, Subject: w.secret("childsubject", viewersOfB...),
		Text: w.secret("childtext", viewersOfB...), To: []rfc822.Address{{Address: w.secret("childto", viewersOfB...) + "@other.example"}},
		Bcc: []rfc822.Address{{Address: w.secret("childbcc", "carl", "dora") + "@quiet.example"}}})
	require.NoError(w.t, err)
	_, err = s.Note(ctx, w.actor("dora"), child.ID, w.secret("childnote", viewersOfB...))
	require.NoError(w.t, err)
	w.pass()
	w.narrow()
	w.pull(w.a)
	_, _, err = s.Forward(ctx, w.actor("carl"), w.ticket("zqmixedsubject"), ticket.Forward{
		Inbox: w.b, Text: "see below", To: []rfc822.Address{{Address: "lawyer@other.example"}}})
	require.NoError(w.t, err)
	w.pass()
}

// moves takes a ticket from A to B. Its mail is read in A, where it lies, and in B; what is written on it
// in B alone. What is hidden of it and its blind copies stay with the creator of A.
func (w *leakWorld) moves() {
	ctx, both := w.t.Context(), append(slices.Clone(viewersOfA), "dora", "zoe")
	moved := w.ticket("zqmovedsubject")
	w.secrets["zqmovedsubject"], w.secrets["zqmovedbody"] = both, both
	_, err := w.desk.Tickets.Move(ctx, w.actor("carl"), moved, ticket.Move{To: w.b})
	require.NoError(w.t, err)
	_, err = w.desk.Tickets.Note(ctx, w.actor("dora"), moved, w.secret("movednote", viewersOfB...))
	require.NoError(w.t, err)
}

// begin has rita begin to write an answer with a file, and make a task, which some may see.
func (w *leakWorld) begin() {
	ctx, s, rita, plain := w.t.Context(), w.desk.Tickets, w.actor("rita"), w.ticket("zqplainsubject")
	d, err := s.SaveDraft(ctx, rita, plain, ticket.Draft{Kind: ticket.EntryReplied,
		Text: w.secret("drafttext", "rita"), Bcc: []rfc822.Address{{Address: w.secret("draftbcc", "rita") + "@quiet.example"}}})
	require.NoError(w.t, err)
	d, err = s.AttachToDraft(ctx, rita, plain, d.Entry, ticket.DraftFile{Name: w.secret("draftfile", "rita") + ".txt", Type: "text/plain"},
		strings.NewReader(w.secret("draftcontent", "rita")))
	require.NoError(w.t, err)
	w.draft, w.file = d, d.Files[0].ID
	readers := []acl.UserID{"rita", "rob", "nate"}
	w.tasks.SetReaders(site, "work", readers...)
	t, err := s.CreateTask(ctx, rita, plain, ticket.NewTask{Title: w.secret("tasktitle", "rita", "rob"), Target: "work"})
	require.NoError(w.t, err)
	w.task = t.Tasks[0].ID
}

// movable is a thread of A with a mail for all, a stranger's, and one of carl's with a blind copy.
func (w *leakWorld) movable(account *fake.Account) {
	account.Deliver(mailOf("Moe <moe@acme.example>", "a@firm.example", w.secret("movedsubject", viewersOfA...),
		w.secret("movedbody", viewersOfA...), "Message-ID: <moved@acme.example>"), fake.Delivery{Thread: "moved"})
	w.pass()
	account.Deliver(mailOf("Una <"+w.secret("movedhiddenaddress", "carl")+"@private.example>", "a@firm.example",
		w.secret("movedhiddensubject", "carl"), w.secret("movedhiddenbody", "carl"),
		"References: <moved@acme.example>"), fake.Delivery{Thread: "moved"})
	account.Deliver(mailOf("a@firm.example", "moe@acme.example", "own", "as said",
		"References: <moved@acme.example>", "Bcc: "+w.secret("movedbcc", "carl")+"@quiet.example"),
		fake.Delivery{Thread: "moved", Sent: true})
}
