package ticket_test

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// deed is one thing people do, by one method.
type deed struct {
	name    string
	action  string // in the matrix
	trash   string // instead, on a ticket of the trash
	own     bool   // to a note of one's own
	sends   bool   // uses up one of a part-timer's replies
	when    when
	refusal error // instead of what rights are refused with
	prepare func(s *scene)
	do      func(s *scene) error
}

// when says in which states of a ticket a deed is asked for.
type when int

const (
	always when = iota
	whileLive
	whileOpen
	whileDeleted
)

func (w when) matches(c *circumstances) bool {
	switch w {
	case whileLive:
		return !c.deleted
	case whileOpen:
		return c.state() == ""
	case whileDeleted:
		return c.deleted
	}
	return true
}

// errNone says that a list has not what it should show.
var errNone = &storage.Error{Op: "list", Entity: "ticket", Err: storage.ErrNotFound}

// drain reads a list to its end and says whether it holds what is asked for.
func drain[T any](list iter.Seq2[T, error], is func(T) bool) error {
	found := false
	for v, err := range list {
		if err != nil {
			return err
		}
		found = found || is(v)
	}
	if !found {
		return errNone
	}
	return nil
}

func some[T any](T) bool { return true }

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

// deeds are what people do with tickets: for each row of 8.1 that is about tickets every method that does it.
var deeds = []deed{
	// Row 3.
	{name: "Ticket", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Ticket(s.t.Context(), s.actor, s.id))
	}},
	{name: "Tickets", action: "view_tickets", when: whileLive, refusal: storage.ErrNotFound, do: func(s *scene) error {
		return drain(s.svc.Tickets(s.t.Context(), s.actor, ticket.Query{}), func(t ticket.Ticket) bool { return t.ID == s.id })
	}},
	{name: "Entries", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return drain(s.svc.Entries(s.t.Context(), s.actor, s.id), some)
	}},
	{name: "Thread", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return drain(s.svc.Thread(s.t.Context(), s.actor, s.id, ticket.ThreadQuery{}), func(l ticket.Line) bool { return l.Mail != nil })
	}},
	{name: "Mail", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Mail(s.t.Context(), s.actor, s.id, s.mail, htmlsafe.Options{}))
	}},
	{name: "Files", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Files(s.t.Context(), s.actor, s.id))
	}},
	{name: "OpenFile", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		_, r, err := s.svc.OpenFile(s.t.Context(), s.actor, s.id, s.mail, "2")
		if err == nil {
			err = r.Close()
		}
		return err
	}},
	{name: "OpenInline", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		_, r, err := s.svc.OpenInline(s.t.Context(), s.actor, s.id, s.mail, "pic")
		if err == nil {
			err = r.Close()
		}
		return err
	}},
	{name: "Children", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return third(s.svc.Children(s.t.Context(), s.actor, s.id))
	}},
	{name: "Related", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Related(s.t.Context(), s.actor, s.id))
	}},
	{name: "LinkedTasks", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return third(s.svc.LinkedTasks(s.t.Context(), s.actor, s.id))
	}},
	{name: "Visit", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return s.svc.Visit(s.t.Context(), s.actor, s.id, ticket.Typing)
	}},
	{name: "Visitors", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Visitors(s.t.Context(), s.actor, s.id))
	}},
	{name: "MarkRead", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.MarkRead(s.t.Context(), s.actor, s.id, s.clock()))
	}},
	{name: "MarkUnread", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.MarkUnread(s.t.Context(), s.actor, s.id))
	}},
	{name: "Unread", action: "view_tickets", trash: "view_trash", do: func(s *scene) error {
		return second(s.svc.Unread(s.t.Context(), s.actor, s.id))
	}},
	{name: "Draft", action: "view_tickets", trash: "view_trash", prepare: func(s *scene) { s.begun(ticket.EntryReplied) }, do: func(s *scene) error {
		return second(s.svc.Draft(s.t.Context(), s.actor, s.id))
	}},
	{name: "Drafts", action: "view_tickets", trash: "view_trash", refusal: storage.ErrNotFound, prepare: func(s *scene) { s.begun(ticket.EntryReplied) }, do: func(s *scene) error {
		return drain(s.svc.Drafts(s.t.Context(), s.actor), func(d ticket.Draft) bool { return d.Ticket == s.id })
	}},
	// Rows 4, 38, 20, 21 and the purge.
	{name: "Counts", action: "count_in_reports", when: whileLive, refusal: storage.ErrNotFound, do: func(s *scene) error {
		got, err := s.svc.Counts(s.t.Context(), s.actor, ticket.Query{})
		if err == nil && got.Inbox(s.here) == 0 {
			err = errNone
		}
		return err
	}},
	{name: "Search", action: "search", when: whileLive, refusal: storage.ErrNotFound, do: func(s *scene) error {
		return drain(s.svc.Search(s.t.Context(), s.actor, ticket.SearchQuery{Text: "word"}), func(h ticket.Hit) bool { return h.Ticket.ID == s.id })
	}},
	{name: "Tickets of the trash", action: "view_trash", when: whileDeleted, refusal: storage.ErrNotFound, do: func(s *scene) error {
		return drain(s.svc.Tickets(s.t.Context(), s.actor, ticket.Query{Deleted: true}), func(t ticket.Ticket) bool { return t.ID == s.id })
	}},
	{name: "Restore", action: "restore", when: whileDeleted, do: func(s *scene) error {
		return second(s.svc.Restore(s.t.Context(), s.actor, s.id))
	}},
	{name: "Purge", action: "purge", when: whileDeleted, do: func(s *scene) error {
		return s.svc.Purge(s.t.Context(), s.actor, s.id)
	}},
	// Rows 5, 6, 7a and 7b.
	{name: "Note", action: "add_note", do: func(s *scene) error {
		return second(s.svc.Note(s.t.Context(), s.actor, s.id, "note"))
	}},
	{name: "SaveDraft of a note", action: "add_note", do: func(s *scene) error {
		return second(s.svc.SaveDraft(s.t.Context(), s.actor, s.id, ticket.Draft{Kind: ticket.EntryNoted, Text: "note"}))
	}},
	{name: "SendDraft of a note", action: "add_note", prepare: func(s *scene) { s.begun(ticket.EntryNoted) }, do: func(s *scene) error {
		return third(s.svc.SendDraft(s.t.Context(), s.actor, s.id, s.draft()))
	}},
	{name: "EditNote of one's own", action: "edit_note", own: true, do: func(s *scene) error {
		return second(s.svc.EditNote(s.t.Context(), s.actor, s.id, s.own, "other"))
	}},
	{name: "EditNote of another's", action: "edit_note", do: func(s *scene) error {
		return second(s.svc.EditNote(s.t.Context(), s.actor, s.id, s.note, "other"))
	}},
	{name: "Redact", action: "redact", do: func(s *scene) error {
		return second(s.svc.Redact(s.t.Context(), s.actor, s.id, s.mail))
	}},
	{name: "DeleteNote of one's own", action: "delete_own_note", own: true, do: func(s *scene) error {
		return second(s.svc.DeleteNote(s.t.Context(), s.actor, s.id, s.own))
	}},
	{name: "DeleteNote of another's", action: "delete", do: func(s *scene) error {
		return second(s.svc.DeleteNote(s.t.Context(), s.actor, s.id, s.note))
	}},
	{name: "Delete", action: "delete", do: func(s *scene) error {
		return second(s.svc.Delete(s.t.Context(), s.actor, s.id))
	}},
	// Row 8.
	{name: "Reply", action: "reply", sends: true, do: func(s *scene) error {
		return second(s.svc.Reply(s.t.Context(), s.actor, s.id, ticket.Reply{Text: "hello"}))
	}},
	{name: "SaveDraft of a reply", action: "reply", do: func(s *scene) error {
		return second(s.svc.SaveDraft(s.t.Context(), s.actor, s.id, ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"}))
	}},
	{name: "SendDraft of a reply", action: "reply", sends: true, prepare: func(s *scene) { s.begun(ticket.EntryReplied) }, do: func(s *scene) error {
		return third(s.svc.SendDraft(s.t.Context(), s.actor, s.id, s.draft()))
	}},
	{name: "AttachToDraft", action: "reply", prepare: func(s *scene) { s.begun(ticket.EntryReplied) }, do: func(s *scene) error {
		return second(s.svc.AttachToDraft(s.t.Context(), s.actor, s.id, s.draft(), ticket.DraftFile{Name: "a"}, strings.NewReader("x")))
	}},
	{name: "Reschedule", action: "reply", prepare: func(s *scene) { s.waits(ticket.OutgoingQueued) }, do: func(s *scene) error {
		return second(s.svc.Reschedule(s.t.Context(), s.actor, s.id, s.sent, s.clock().Add(2*time.Hour)))
	}},
	{name: "Retry", action: "reply", prepare: func(s *scene) { s.waits(ticket.OutgoingFailed) }, do: func(s *scene) error {
		return second(s.svc.Retry(s.t.Context(), s.actor, s.id, s.sent))
	}},
	{name: "Resolve", action: "reply", prepare: func(s *scene) { s.waits(ticket.OutgoingUnknown) }, do: func(s *scene) error {
		return second(s.svc.Resolve(s.t.Context(), s.actor, s.id, s.sent, ticket.ResolutionSent))
	}},
	// Who works on the inbox takes back also where nobody may reply any more.
	{name: "Recall", action: "be_assignee", when: whileOpen, prepare: func(s *scene) { s.waits(ticket.OutgoingQueued) }, do: func(s *scene) error {
		return second(s.svc.Recall(s.t.Context(), s.actor, s.id, s.sent))
	}},
	// Rows 9 and 10.
	{name: "Forward", action: "forward", sends: true, do: func(s *scene) error {
		return third(s.svc.Forward(s.t.Context(), s.actor, s.id, ticket.Forward{To: addresses("tom"), Text: "look"}))
	}},
	{name: "SaveDraft of a forward", action: "forward", do: func(s *scene) error {
		return second(s.svc.SaveDraft(s.t.Context(), s.actor, s.id, ticket.Draft{Kind: ticket.EntryForwarded, Text: "look"}))
	}},
	{name: "SendDraft of a forward", action: "forward", sends: true, prepare: func(s *scene) { s.begun(ticket.EntryForwarded) }, do: func(s *scene) error {
		return third(s.svc.SendDraft(s.t.Context(), s.actor, s.id, s.draft()))
	}},
	{name: "Start", action: "start_ticket", sends: true, when: whileOpen, do: func(s *scene) error {
		return third(s.svc.Start(s.t.Context(), s.actor, s.here, ticket.Start{To: addresses("tom"), Text: "hello"}))
	}},
	// Rows 11 and 12.
	{name: "SetStatus", action: "edit_options", do: func(s *scene) error {
		return second(s.svc.SetStatus(s.t.Context(), s.actor, s.id, "in-review"))
	}},
	{name: "Assign", action: "edit_options", do: func(s *scene) error {
		return second(s.svc.Assign(s.t.Context(), s.actor, s.id, "mara"))
	}},
	edits("tags", ticket.Edit{AddTags: []string{"red"}}),
	edits("type", ticket.Edit{Type: new("fault")}),
	edits("priority", ticket.Edit{Priority: new("high")}),
	edits("source", ticket.Edit{Source: new("fair")}),
	edits("fields", ticket.Edit{Fields: map[string][]string{"contract": {"A-1"}}}),
	{name: "Edit of the customer", action: "edit_options", do: func(s *scene) error {
		return second(s.svc.Edit(s.t.Context(), s.actor, s.id, ticket.Edit{Customer: &s.customer}))
	}},
	{name: "Pin", action: "edit_options", do: func(s *scene) error {
		return second(s.svc.Pin(s.t.Context(), s.actor, s.id, s.mail))
	}},
	{name: "Unpin", action: "edit_options", do: func(s *scene) error {
		return second(s.svc.Unpin(s.t.Context(), s.actor, s.id, s.mail))
	}},
	{name: "Assign to the player", action: "be_assignee", when: whileOpen, refusal: ticket.ErrCannotAssign, do: func(s *scene) error {
		return second(s.svc.Assign(s.t.Context(), s.world.actor("mara"), s.id, s.p.user))
	}},
	// Rows 13 and 14.
	{name: "Merge into it", action: "merge", prepare: besides, do: func(s *scene) error {
		return second(s.svc.Merge(s.t.Context(), s.actor, s.id, []ticket.ID{s.beside}))
	}},
	{name: "Merge into another", action: "merge", prepare: besides, do: func(s *scene) error {
		return second(s.svc.Merge(s.t.Context(), s.actor, s.beside, []ticket.ID{s.id}))
	}},
	{name: "Split", action: "split", prepare: func(s *scene) {
		s.advance(time.Minute)
		s.deliver("ann@acme.com", "more", "References: <"+s.stored(s.id).Subject+"@acme.com>", "Message-ID: <more-"+string(s.id)+"@acme.com>")
		s.pull()
	}, do: func(s *scene) error {
		return second(s.svc.Split(s.t.Context(), s.actor, s.id, ticket.Split{Entry: s.stored(s.id).Latest}))
	}},
	{name: "Move", action: "move", do: func(s *scene) error {
		return second(s.svc.Move(s.t.Context(), s.actor, s.id, ticket.Move{To: s.there}))
	}},
	// Rows 15, 16 and 39.
	{name: "Follow", action: "follow", do: func(s *scene) error {
		return second(s.svc.Follow(s.t.Context(), s.actor, s.id, s.p.user))
	}},
	{name: "Unfollow", action: "follow", do: func(s *scene) error {
		return second(s.svc.Unfollow(s.t.Context(), s.actor, s.id, s.p.user))
	}},
	{name: "Follow of another", action: "add_follower", do: func(s *scene) error {
		return second(s.svc.Follow(s.t.Context(), s.actor, s.id, "mara"))
	}},
	{name: "Unfollow of another", action: "add_follower", prepare: func(s *scene) {
		_, err := s.svc.Follow(s.t.Context(), s.world.actor("mara"), s.id, "mara")
		require.NoError(s.t, err)
	}, do: func(s *scene) error {
		return second(s.svc.Unfollow(s.t.Context(), s.actor, s.id, "mara"))
	}},
	{name: "CreateTask", action: "link_task", do: func(s *scene) error {
		return second(s.svc.CreateTask(s.t.Context(), s.actor, s.id, ticket.NewTask{}))
	}},
	{name: "LinkTask", action: "link_task", prepare: func(s *scene) { s.task = s.newTask(s.p.user) }, do: func(s *scene) error {
		return second(s.svc.LinkTask(s.t.Context(), s.actor, s.id, s.task))
	}},
	{name: "UnlinkTask", action: "link_task", prepare: func(s *scene) { s.task = s.linked("mara", s.id) }, do: func(s *scene) error {
		return second(s.svc.UnlinkTask(s.t.Context(), s.actor, s.id, s.task))
	}},
}

func edits(what string, e ticket.Edit) deed {
	return deed{name: "Edit of the " + what, action: "edit_options", do: func(s *scene) error {
		return second(s.svc.Edit(s.t.Context(), s.actor, s.id, e))
	}}
}

func besides(s *scene) { s.beside = s.ask("ann@acme.com", "beside "+string(s.id)).ID }

// Of the site and of no inbox: TestWhoMaySaveTheCatalog, TestScopesNameOnlyInboxesTheReaderKnows. Of one's
// own draft alone: TestFilesOfDraftsAreApart, TestWhoLostAccessSeesNoDraftAndMayDiscardIt.
var beyondTheMatrix = []string{"Catalog", "SaveCatalog", "DetachFromDraft", "OpenDraftFile", "DiscardDraft"}

func TestNoMethodIsForgotten(t *testing.T) { // 8.1
	t.Parallel()
	service := reflect.TypeFor[*ticket.Service]()
	for m := range service.Methods() {
		if m.Type.NumIn() < 3 || m.Type.In(2) != reflect.TypeFor[acl.Actor]() || slices.Contains(beyondTheMatrix, m.Name) {
			continue // the engine's own
		}
		require.True(t, slices.ContainsFunc(deeds, func(d deed) bool {
			name, _, _ := strings.Cut(d.name, " ")
			return name == m.Name
		}), "no deed is done by %s: say which row of the matrix it is of", m.Name)
	}
}
